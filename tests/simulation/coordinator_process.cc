#include "simulation/coordinator_process.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "simulation/share_monitor.h"
#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;
using namespace coordinator;

std::string text_of(const TaskId& task) {
  return task.job + " round " + std::to_string(task.round) + " shard " +
         std::to_string(task.shard) + " offer " + std::to_string(task.offer);
}

SchedulerOptions options_of(const Plan& plan, const Disk& disk, std::uint64_t epoch) {
  SchedulerOptions options = plan.options;
  options.scheduling = disk.scheduling();
  options.epoch = epoch;
  options.seed += epoch;
  return options;
}

}  // namespace

CoordinatorProcess::CoordinatorProcess(Site site, std::uint64_t epoch)
    : site_(std::move(site)),
      epoch_(epoch),
      life_(std::make_shared<Life>(site_.around.queue)),
      scheduler_(options_of(site_.plan, site_.disk, epoch),
                 make_policy(site_.plan.policy, site_.plan.seed)),
      offers_(site_.around.counts),
      members_(site_.plan.options.detection),
      writer_(site_.around,
              *life_,
              site_.disk,
              {[this](std::uint64_t ticket) { saved(ticket); }, site_.crash}),
      service_{site_.around, site_.network, *life_, *this, epoch} {}

void CoordinatorProcess::boot() {
  site_.around.counts.add(Tally::kStarts);
  site_.disk.begin_start();
  site_.jobs.restarted(site_.disk);
  for (const auto& node : site_.nodes) {
    if (node->traits().source == NodeSource::kListed) {
      tell("add_node", [&](TimePoint now) {
        return scheduler_.add_node(node->address(), NodeSource::kListed, now);
      });
    }
  }
  tell("restore", [&](TimePoint now) {
    return scheduler_.restore(site_.disk.jobs(), site_.disk.nodes(), now);
  });
  check_durable();
  if (site_.around.faults.strikes(CrashPoint::kAfterRestore)) {
    site_.crash();
  }
}

template <class Event>
void CoordinatorProcess::tell(const char* name, const Event& event) {
  const TimePoint now = site_.around.queue.now();
  site_.around.counts.add(Tally::kEvents);
  site_.around.log([&] { return name; });
  Actions actions = event(now);
  for (Action& action : actions) {
    std::visit([this](auto& one) { enact(one); }, action);
  }
  check(now);
  keep_time(now);
}

void CoordinatorProcess::check(TimePoint now) {
  offers_.after_event(scheduler_);
  members_.after_event(offers_, now);
  site_.jobs.after_event(scheduler_);
  ShareMonitor::after_event(scheduler_, now);
  NodeMonitor::check_deaths(scheduler_,
                            [this](NodeId node) -> const Node& { return node_at(node); });
  scheduler_.check_invariants();
}

void CoordinatorProcess::check_durable() {
  if (scheduler_.saved_ticket() == scheduler_.last_ticket()) {
    NodeMonitor::check_members(scheduler_.nodes(), site_.disk.nodes());
    if (scheduler_.scheduling() != site_.disk.scheduling()) {
      throw Violation("mode_durable", "a restart would bring another mode of scheduling");
    }
  }
}

void CoordinatorProcess::keep_time(TimePoint now) {
  const std::optional<TimePoint> next = scheduler_.wakeup(now);
  if (!next || (wakeup_ && *wakeup_ <= *next)) {
    return;
  }
  wakeup_ = next;
  site_.around.queue.at(*next, [this, life = life_, at = *next] {
    life->run([this, at] {
      if (wakeup_ == at) {
        wakeup_.reset();
        tell("tick", [&](TimePoint time) { return scheduler_.tick(time); });
      }
    });
  });
}

void CoordinatorProcess::submit(const JobPlan& job) {
  if (scheduler_.find(job.id) != nullptr) {
    return;
  }
  JobSubmission submission;
  submission.id = job.id;
  submission.specification = job.specification;
  submission.shard_rows = job.rows;
  submission.weights = job.weights;
  submission.share = job.share;
  tell("submit", [&](TimePoint now) { return scheduler_.submit(std::move(submission), now); });
}

void CoordinatorProcess::control(const std::string& job, JobCommand command) {
  if (scheduler_.find(job) != nullptr) {
    site_.around.counts.add(Tally::kCommands);
    site_.jobs.commanded(job, command);
    tell("control", [&](TimePoint now) { return scheduler_.control(job, command, now); });
  }
}

void CoordinatorProcess::set_batch_rows(const std::string& id, std::uint32_t batch_rows) {
  const Job* const job = scheduler_.find(id);
  if (job != nullptr && !has_ended(job->state) && !job->move) {
    site_.around.counts.add(Tally::kResizes);
    tell("set_batch_rows",
         [&](TimePoint now) { return scheduler_.set_batch_rows(id, batch_rows, now); });
  }
}

void CoordinatorProcess::set_scheduling(SchedulingMode mode) {
  site_.around.counts.add(Tally::kSwitches);
  tell("set_scheduling", [&](TimePoint now) { return scheduler_.set_scheduling(mode, now); });
}

bool CoordinatorProcess::remove(const std::string& id) {
  const Job* const job = scheduler_.find(id);
  if (job == nullptr || !has_ended(job->state) || !scheduler_.is_forgettable(*job)) {
    return false;
  }
  site_.around.counts.add(Tally::kDeletions);
  site_.disk.remove(id);
  forgotten(id);
  if (site_.around.faults.strikes(CrashPoint::kJobDeleted)) {
    life_->end();
    site_.crash();
    return true;
  }
  tell("remove", [&](TimePoint now) { return scheduler_.remove(id, now); });
  return true;
}

void CoordinatorProcess::forgotten(const std::string& job) {
  site_.jobs.removed(job);
  offers_.forgotten(job);
}

void CoordinatorProcess::add_node(const Node& node) {
  const std::optional<NodeId> known = scheduler_.nodes().find(node.address());
  if (known && scheduler_.nodes().at(*known).removed) {
    members_.readmitted(*known);
  }
  tell("add_node",
       [&](TimePoint now) { return scheduler_.add_node(node.address(), NodeSource::kAdded, now); });
}

void CoordinatorProcess::announce_node(const Node& node) {
  const std::optional<NodeId> known = scheduler_.nodes().find(node.address());
  if (known && scheduler_.nodes().at(*known).removed &&
      scheduler_.nodes().at(*known).removed_incarnation != node.incarnation_text()) {
    members_.readmitted(*known);
  }
  tell("announce_node", [&](TimePoint now) {
    return scheduler_.announce_node(node.address(), node.incarnation_text(), now);
  });
}

void CoordinatorProcess::remove_node(const Node& node) {
  if (const std::optional<NodeId> known = scheduler_.nodes().find(node.address())) {
    members_.removed(*known);
    tell("remove_node", [&](TimePoint now) { return scheduler_.remove_node(*known, now); });
  }
}

void CoordinatorProcess::taken(const TaskId& task) {
  tell("task_taken", [&](TimePoint now) { return scheduler_.task_taken(task, now); });
}

void CoordinatorProcess::accepted(const TaskId& task) {
  tell("task_accepted", [&](TimePoint now) { return scheduler_.task_accepted(task, now); });
}

void CoordinatorProcess::ended(NodeId node, const TaskId& id, TaskEnd end) {
  const TaskId task = id;
  calls_.erase(task);
  const bool looks_dead = end.kind == TaskEnd::Kind::kLost && end.fault;
  offers_.ended(task, end.kind == TaskEnd::Kind::kDone);
  if (end.kind == TaskEnd::Kind::kFailed) {
    site_.jobs.failed(task);
  }
  site_.around.log([&] {
    constexpr std::array<const char*, 5> kNames = {"done", "refused", "failed", "diverged", "lost"};
    return "  " + text_of(task) + " at node " + std::to_string(node) + ": " +
           kNames[static_cast<std::size_t>(end.kind)] + " " + end.fault.value_or("");
  });
  tell("task ended", [&](TimePoint now) { return tell_end(node, task, end, now); });
  if (looks_dead && !life_->is_over()) {
    hearts_.at(node)->beat(epoch_);
  }
  if (site_.around.faults.strikes(Fault::kStaleReport)) {
    life_->after(site_.around.dice.between(Duration{}, Duration{1s}),
                 [this, task] { site_.around.dice.chance(0.5) ? accepted(task) : taken(task); });
  }
}

Actions CoordinatorProcess::tell_end(NodeId node, const TaskId& task, TaskEnd& end, TimePoint now) {
  switch (end.kind) {
    case TaskEnd::Kind::kDone:
      return scheduler_.task_done(node, task, std::move(end.result), now);
    case TaskEnd::Kind::kRefused:
      return scheduler_.task_refused(node, task, now);
    case TaskEnd::Kind::kFailed:
      return scheduler_.task_failed(node, task, end.reason, *end.fault, now);
    case TaskEnd::Kind::kDiverged:
      return scheduler_.task_diverged(node, task, now);
    case TaskEnd::Kind::kLost:
      break;
  }
  return scheduler_.task_lost(node, task, end.reason, end.fault, now);
}

void CoordinatorProcess::heard(NodeId node, const NodeBeat& beat) {
  members_.heard(node, beat, site_.around.queue.now());
  tell("heartbeat", [&](TimePoint now) { return scheduler_.heartbeat(node, beat, now); });
  NodeMonitor::check_heard(scheduler_.nodes().at(node));
}

void CoordinatorProcess::missed(NodeId node, const std::string& why) {
  tell("heartbeat_missed",
       [&](TimePoint now) { return scheduler_.heartbeat_missed(node, why, now); });
}

void CoordinatorProcess::gone(NodeId node, const std::string& why, Duration took) {
  members_.gone(node);
  tell("node_gone", [&](TimePoint now) { return scheduler_.node_gone(node, why, took, now); });
}

void CoordinatorProcess::saved(std::uint64_t ticket) {
  while (!submissions_.empty() && submissions_.begin()->first <= ticket) {
    site_.jobs.submitted(submissions_.begin()->second);
    submissions_.erase(submissions_.begin());
  }
  tell("saved", [&](TimePoint now) { return scheduler_.saved(ticket, now); });
  check_durable();
}

void CoordinatorProcess::enact(OfferTask& action) {
  const TimePoint now = site_.around.queue.now();
  if (scheduler_.find(action.offer.id.job)->state == JobState::kPaused) {
    throw Violation("paused_job", text_of(action.offer.id) + " is offered, and its job is paused");
  }
  members_.offered(action.node, now);
  offers_.offered(action, scheduler_.nodes().at(action.node));
  ShareMonitor::check_offer(action, scheduler_);
  site_.around.counts.add(Tally::kOffersLocal,
                          scheduler_.scheduling() == SchedulingMode::kLocal ? 1 : 0);
  site_.around.log([&] {
    return "  offer " + text_of(action.offer.id) + " to node " + std::to_string(action.node);
  });
  const TaskId id = action.offer.id;
  const auto call = std::make_shared<TaskCall>(service_, node_at(action.node), std::move(action));
  calls_.emplace(id, call);
  call->send_offer();
}

void CoordinatorProcess::enact(const CancelTask& action) {
  offers_.cancelled(action);
  site_.around.log([&] { return "  cancel " + text_of(action.task); });
  calls_.at(action.task)->cancel();
}

void CoordinatorProcess::enact(AdvanceRound& action) {
  site_.rounds.advances(action);
  to_step_.push_back(std::move(action));
  step_next();
}

void CoordinatorProcess::step_next() {
  if (stepping_ || to_step_.empty()) {
    return;
  }
  stepping_ = true;
  const Duration slow = site_.plan.closes_slowly ? 800ms : 20ms;
  life_->after(site_.around.dice.between(Duration{1ms}, slow), [this] {
    const AdvanceRound round = std::move(to_step_.front());
    to_step_.pop_front();
    stepping_ = false;
    const Divergence& divergence = site_.rounds.plan_of(round.job).divergence;
    if (divergence.round == round.round && !divergence.shard) {
      tell("round_diverged",
           [&](TimePoint now) { return scheduler_.round_diverged(round.job, round.round, now); });
    } else {
      RoundStep step = step_of(round.weights, round.deltas, round.rows, *round.server);
      site_.rounds.advanced(round, step);
      tell("round_advanced", [&](TimePoint now) {
        return scheduler_.round_advanced(round.job, round.round, std::move(step), now);
      });
    }
    step_next();
  });
}

void CoordinatorProcess::enact(ValidateRound& action) {
  to_validate_.push_back(std::move(action));
  validate_next();
}

void CoordinatorProcess::validate_next() {
  if (validating_ || to_validate_.empty()) {
    return;
  }
  validating_ = true;
  const Duration slow = site_.plan.closes_slowly ? 1500ms : 40ms;
  life_->after(site_.around.dice.between(Duration{1ms}, slow), [this] {
    const ValidateRound round = std::move(to_validate_.front());
    to_validate_.pop_front();
    validating_ = false;
    const RoundValidation validation = {
        .error = error_of(*round.specification, round.round, round.weights)};
    tell("round_validated", [&](TimePoint now) {
      return scheduler_.round_validated(round.job, round.round, validation, now);
    });
    validate_next();
  });
}

void CoordinatorProcess::enact(Save& action) {
  if (const auto* const round = std::get_if<RoundFinished>(&action.record)) {
    site_.rounds.saves(*round);
  } else if (const auto* const rows = std::get_if<RowsPredicted>(&action.record)) {
    site_.predictions.saves(*rows, site_.rounds.plan_of(rows->job));
  } else if (const auto* const added = std::get_if<JobAdded>(&action.record)) {
    submissions_[action.ticket] = added->job;
  } else if (const auto* const removed = std::get_if<JobRemoved>(&action.record)) {
    forgotten(removed->job);
  }
  writer_.add(std::move(action));
}

void CoordinatorProcess::enact(const WatchNode& action) {
  const auto found = std::find_if(site_.nodes.begin(), site_.nodes.end(), [&](const auto& node) {
    return node->address() == action.address;
  });
  members_.watched(action.node);
  const auto heart = std::make_shared<Heart>(
      site_.network, *life_, static_cast<HeartEvents&>(*this), **found, action.node);
  hearts_[action.node] = heart;
  life_->after(Duration{}, [this, heart] { heart->beat(epoch_); });
}

void CoordinatorProcess::enact(const UnwatchNode& action) {
  site_.around.counts.add(Tally::kForgotten);
  members_.forgotten(action.node);
  hearts_.at(action.node)->stop();
  // An answer of it may be on its way.
  life_->after(site_.around.dice.between(Duration{}, Duration{1s}),
               [this, id = action.node] { heard(id, node_at(id).beat()); });
}

void CoordinatorProcess::enact(const JobEnded& action) {
  const Job* const job = scheduler_.find(action.job);
  site_.around.log([&] { return "  " + action.job + " has ended"; });
  if (job != nullptr) {
    const JobPlan& plan = site_.rounds.plan_of(action.job);
    if (job->prediction) {
      site_.predictions.ends(*job);
    } else {
      site_.rounds.ends(*job, action);
    }
    site_.jobs.ends(*job, plan);
    NodeMonitor::check_poison(*job, plan, site_.nodes);
  }
}

void CoordinatorProcess::enact(const Note& action) {
  const std::string& event = action.event.event;
  if (event == "straggler_copied") {
    site_.around.counts.add(Tally::kCopies);
  } else if (event == "results_differ") {
    site_.around.counts.add(Tally::kConflicts);
  } else if (event == "node_suspect") {
    site_.around.counts.add(Tally::kSuspicions);
  }
  site_.around.log([&] {
    return "  note " + action.job + " " + event + " " + action.event.node + " " +
           action.event.reason + " " + action.event.message;
  });
}

}  // namespace gradmill::simulation
