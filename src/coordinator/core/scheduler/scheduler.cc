#include "coordinator/core/scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "coordinator/core/nodes/backoff.h"

namespace gradmill::coordinator {
namespace {

// Longer waits are not told from this one, and times stay far from overflow.
constexpr std::chrono::hours kCapacityTimeoutMax{24 * 3650};
// A policy may hold a task for a busy node; it is asked again after this, since views age.
constexpr std::chrono::milliseconds kHoldMax{250};

std::string seconds_in_words(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy)
    : options_(options),
      policy_(std::move(policy)),
      jitter_(options.seed),
      nodes_(options.detection) {
  options_.capacity_timeout = std::min<Duration>(options_.capacity_timeout, kCapacityTimeoutMax);
}

Actions Scheduler::tick(TimePoint now) {
  Actions actions;
  dispatch(now, actions);
  return actions;
}

std::optional<TimePoint> Scheduler::wakeup(TimePoint now) const {
  std::optional<TimePoint> earliest;
  const auto consider = [&](std::optional<TimePoint> time) {
    if (time && *time > now) {
      earliest = earliest ? std::min(*earliest, *time) : *time;
    }
  };
  consider(nodes_.next_judgement());
  for (const auto& [number, job] : jobs_.running()) {
    if (job->round && !job->round->complete()) {
      consider(wakeup(*job, now));
    }
  }
  return earliest;
}

std::optional<TimePoint> Scheduler::wakeup(const Job& job, TimePoint now) const {
  std::optional<TimePoint> earliest;
  const auto consider = [&](std::optional<TimePoint> time) {
    if (time && *time > now) {
      earliest = earliest ? std::min(*earliest, *time) : *time;
    }
  };
  const Round& round = *job.round;
  consider(next_save_of_predictions(job));
  if (!round.has_takers() && !job.crowded_out) {
    consider(round.idle_since() + options_.capacity_timeout);
  }
  if (job.specification->quorum > 0) {
    consider(round.started() + job.specification->round_deadline);
  }
  for (const std::uint32_t shard : round.choosy()) {
    consider(round.task(shard).forgiven_at);
  }
  if (!round.pending().empty()) {
    consider(nodes_.next_usable(now));
  }
  consider(round.next_late());
  const bool is_any_queued =
      std::any_of(jobs_.running().begin(), jobs_.running().end(), [](const auto& one) {
        return one.second->round && one.second->round->queued() > 0;
      });
  if (is_any_queued && nodes_.has_free_slot()) {
    consider(round.next_late_node(now));
    consider(nodes_.next_usable(now));
  }
  if (holds_back(job, now)) {
    consider(now + kHoldMax);
  }
  return earliest;
}

std::string Scheduler::hindrance(const Job& job, TimePoint now) const {
  if (job.move && job.move->by_command) {
    return job.move->durable ? "waits for " + nodes_.debtors_in_words(job.id)
                             : "waits until its change of state is durable";
  }
  if (job.unsaved_since && now - *job.unsaved_since > std::chrono::seconds(1)) {
    return "waits until its last round is durable";
  }
  const bool waits = job.round && !job.round->complete() && job.round->offered() == 0;
  return waits && !is_crowded_out(job) ? "no node can take a task: " + nodes_.in_words(job.tallies)
                                       : "";
}

std::map<std::string, NodeTally> Scheduler::tallies(const Job& job) const {
  std::map<std::string, NodeTally> all = job.earlier_tallies;
  for (const auto& [node, tally] : job.tallies) {
    NodeTally& sum = all[nodes_.at(node).address.text()];
    sum.tasks += tally.tasks;
    sum.refused += tally.refused;
    sum.failed += tally.failed;
  }
  return all;
}

void Scheduler::dispatch(TimePoint now, Actions& actions) {
  judge_silence(now, actions);
  const std::map<JobNumber, Job*> ran = jobs_.running();
  for (const auto& [number, job] : ran) {
    if (job->crowded_out && job->round) {
      job->round->excuse_idleness(now);
    }
    if (out_of_capacity(*job, now)) {
      begin_move(*job,
                 {JobState::kFailed,
                  {"no_capacity",
                   "no node accepted a task for " + seconds_in_words(options_.capacity_timeout) +
                       ": " + nodes_.in_words(job->tallies)}},
                 now,
                 actions);
    }
    finish_move_if_settled(*job,
                           actions);  // It waits for nodes; jobs that do not run wait for none.
  }
  start_waiting(now, actions);
  for (const auto& [number, job] : jobs_.running()) {
    save_predictions_if_due(*job, now, actions);
    start_round(*job, now);
    if (job->round) {
      end_late_round(*job, now, actions);
    }
  }
  share_nodes_out(now);
  place_tasks(now, actions);
}

void Scheduler::place_tasks(TimePoint now, Actions& actions) {
  undrain_needless(now);
  assign_pending(now, actions);
  if (drain_for_suspects(now)) {
    assign_pending(now, actions);
  }
  relieve_late_nodes(now, actions);
  for (const auto& [number, job] : jobs_.running()) {
    if (job->round) {
      copy_stragglers(*job, now, actions);
    }
  }
  for (const auto& [number, job] : jobs_.running()) {
    job->crowded_out = is_crowded_out(*job);
  }
}

void Scheduler::check_invariants() const {
  jobs_.check_invariants();
  GRADMILL_CHECK(jobs_.running().size() <= options_.running_jobs_max);
  for (const auto& [number, job] : jobs_.running()) {
    check_invariants(*job);
    GRADMILL_CHECK(shares_.knows(number));
  }
  std::size_t offers = 0;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_.at(id);
    offers += node.offers.size();
    GRADMILL_CHECK(node.reachable() || node.queued == 0);
    GRADMILL_CHECK(!node.reserved || node.offers.size() <= 1);
    GRADMILL_CHECK(!node.drained || node.queued == 0);
    for (const auto& [number, queue] : node.queues) {
      const auto job = jobs_.running().find(number);
      GRADMILL_CHECK(!queue.empty() && job != jobs_.running().end() && job->second->round);
      for (const std::uint32_t shard : queue) {
        GRADMILL_CHECK(is_open_to(*job->second, shard, id));
      }
    }
    for (const TaskId& task : node.offers) {
      GRADMILL_CHECK(bills_.contains(task));
    }
  }
  GRADMILL_CHECK(offers == bills_.size());
  GRADMILL_CHECK(saved_ticket_ <= last_ticket_);
}

}  // namespace gradmill::coordinator
