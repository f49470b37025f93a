#include "simulation/history.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

// Faults begin in the first seconds and none lasts so long.
constexpr Duration kHealAfter = 14s;
// From then on every job must end within this time; the longest wait of all, for capacity, is 60 s.
constexpr Duration kEndWithin = 180s;
constexpr std::uint64_t kStepsMax = 100'000;
constexpr Duration kAnnounceEvery = 1s;
constexpr Duration kHeardLately = 3s;
constexpr Duration kDeleteAgain = 100ms;

}  // namespace

History::History(std::uint64_t seed, bool logging)
    : plan_(make_plan(seed)),
      around_(seed, logging),
      network_(around_),
      rounds_(plan_, around_.counts),
      predictions_(plan_, around_.counts),
      jobs_(plan_) {
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    const Address address{"node", static_cast<std::uint16_t>(4100 + n)};
    nodes_.push_back(std::make_unique<Node>(around_, address, plan_.nodes[n]));
    for (const JobPlan& job : plan_.jobs) {
      nodes_.back()->set_divergence(job.id, job.divergence);
      if (job.poison) {
        nodes_.back()->set_poison(job.id, *job.poison, [this, &node = *nodes_.back()] {
          around_.log([&] { return "poison ends " + node.address().text(); });
          node.crash();
          restart_later(node);
        });
      }
    }
  }
}

void History::run() {
  around_.counts.add(Tally::kHistories);
  const TimePoint begin = around_.queue.now();
  start_coordinator();
  plan_events();
  while (!is_over()) {
    if (around_.queue.empty() || around_.queue.now() - begin > kHealAfter + kEndWithin) {
      throw Violation("liveness", "a job does not end, though no faults are left");
    }
    if (around_.queue.steps() > kStepsMax) {
      throw Violation("no_busy_loop", std::to_string(kStepsMax) + " events, and no end");
    }
    around_.queue.step();
  }
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(around_.queue.now() - begin);
  around_.counts.add(Tally::kSimulatedSeconds, static_cast<std::uint64_t>(passed.count()));
}

void History::plan_events() {
  for (const JobPlan& job : plan_.jobs) {
    around_.queue.after(job.submit_at, [this, &job] {
      submitted_.push_back(&job);
      if (coordinator_) {
        coordinator_->life().run([this, &job] { coordinator_->submit(job); });
      }
    });
  }
  for (const FaultPlan& fault : plan_.faults) {
    around_.queue.after(fault.at, [this, &fault] { strike(fault); });
  }
  for (const CommandPlan& command : plan_.commands) {
    around_.queue.after(command.at, [this, &command] {
      if (coordinator_) {
        coordinator_->life().run(
            [this, &command] { coordinator_->control(command.job, command.command); });
      }
    });
  }
  for (const ResizePlan& resize : plan_.resizes) {
    around_.queue.after(resize.at, [this, &resize] {
      if (coordinator_) {
        coordinator_->life().run(
            [this, &resize] { coordinator_->set_batch_rows(resize.job, resize.batch_rows); });
      }
    });
  }
  for (const SwitchPlan& change : plan_.switches) {
    around_.queue.after(change.at, [this, &change] {
      if (coordinator_) {
        coordinator_->life().run([this, &change] { coordinator_->set_scheduling(change.mode); });
      }
    });
  }
  for (const DeletionPlan& deletion : plan_.deletions) {
    ++deletions_to_come_;
    around_.queue.after(deletion.at, [this, &deletion] { try_deletion(deletion); });
  }
  if (plan_.storm > 0) {
    for (const Fault fault : {Fault::kRequestLost,
                              Fault::kReplyLost,
                              Fault::kDuplicate,
                              Fault::kReordering,
                              Fault::kRefusal,
                              Fault::kStaleReport}) {
      around_.faults.storm(fault, plan_.storm / 2);
    }
  }
  for (const auto& node : nodes_) {
    if (node->traits().source == NodeSource::kJoined) {
      announce(*node);
    }
  }
  around_.queue.after(kHealAfter, [this] { heal(); });
}

void History::try_deletion(const DeletionPlan& deletion) {
  const bool is_up = coordinator_ && !crashing_ && coordinator_->scheduler().find(deletion.job);
  if (!is_up || !coordinator_->remove(deletion.job)) {
    around_.queue.after(kDeleteAgain, [this, &deletion] { try_deletion(deletion); });
    return;
  }
  if (!deletion.again) {
    --deletions_to_come_;
    return;
  }
  around_.queue.after(*deletion.again, [this, &deletion] {
    --deletions_to_come_;
    jobs_.submitted_again(deletion.job);
    around_.counts.add(Tally::kResubmissions);
    if (coordinator_ && !crashing_) {
      coordinator_->life().run(
          [this, &deletion] { coordinator_->submit(rounds_.plan_of(deletion.job)); });
    }
  });
}

void History::announce(Node& node) {
  const TimePoint now = around_.queue.now();
  if (coordinator_ && node.is_up() && node.paused_until() <= now &&
      now - node.heard_at() > kHeardLately) {
    around_.counts.add(Fault::kNodeJoins);
    coordinator_->life().run([this, &node] { coordinator_->announce_node(node); });
  }
  around_.queue.after(kAnnounceEvery, [this, &node] { announce(node); });
}

void History::start_coordinator() {
  crashing_ = false;
  const auto crash = [this] {
    if (!std::exchange(crashing_, true)) {
      around_.queue.after(Duration{}, [this] { crash_coordinator(); });
    }
  };
  coordinator_ = std::make_unique<CoordinatorProcess>(
      Site{around_, network_, disk_, plan_, nodes_, rounds_, predictions_, jobs_, crash}, ++epoch_);
  coordinator_->boot();
  for (const JobPlan* const job : submitted_) {
    if (!has_ended(*job)) {
      coordinator_->submit(*job);
    }
  }
}

void History::crash_coordinator() {
  coordinator_.reset();
  around_.queue.after(around_.dice.between(Duration{5ms}, Duration{2s}), [this] {
    around_.log([] { return "the coordinator starts again"; });
    start_coordinator();
  });
}

void History::heal() {
  around_.log([] { return "faults stop"; });
  healed_ = true;
  around_.faults.stop();
  for (const auto& node : nodes_) {
    if (!node->is_up()) {
      node->start();
    }
    if (coordinator_) {
      coordinator_->add_node(*node);
    }
  }
  check_liveness();
}

void History::check_liveness() {
  // Whoever paused a job resumes it.
  for (const JobPlan* const job : submitted_) {
    if (coordinator_ && coordinator_->scheduler().find(job->id) != nullptr) {
      coordinator_->control(job->id, JobCommand::kResume);
    }
  }
  around_.queue.after(1s, [this] { check_liveness(); });
}

bool History::has_ended(const JobPlan& job) const { return jobs_.has_ended(job.id); }

bool History::is_over() const {
  return coordinator_ && !crashing_ && submitted_.size() == plan_.jobs.size() &&
         coordinator_->is_quiet() && deletions_to_come_ == 0 &&
         std::all_of(plan_.jobs.begin(), plan_.jobs.end(), [this](const JobPlan& job) {
           return has_ended(job);
         });
}

}  // namespace gradmill::simulation
