#include "coordinator/core/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "coordinator/core/backoff.h"

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

/// An event of a task.
Note task_note(const TaskId& task, const std::string& event, const std::string& node) {
  Note note;
  note.job = task.job;
  note.event.event = event;
  note.event.round = task.round;
  note.event.shard = task.shard;
  note.event.attempt = task.offer;
  note.event.node = node;
  return note;
}

/// An event of a node.
Note node_note(const Node& node, const std::string& event, const std::string& message) {
  Note note;
  note.event.event = event;
  note.event.warning = event != "node_alive" && event != "node_joined";
  note.event.node = node.address.text();
  note.event.message = message;
  return note;
}

std::string event_of(NodeState state) { return "node_" + std::string(name_of(state)); }

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy)
    : options_(options),
      policy_(std::move(policy)),
      jitter_(options.seed),
      nodes_(options.detection) {
  options_.capacity_timeout = std::min<Duration>(options_.capacity_timeout, kCapacityTimeoutMax);
}

Actions Scheduler::add_node(const Address& address, NodeSource source, TimePoint now) {
  Actions actions;
  const std::optional<NodeId> known = nodes_.find(address);
  if (!known) {
    const NodeId node = nodes_.add(address, source, now);
    actions.emplace_back(WatchNode{node, address});
    if (source != NodeSource::kListed) {
      save(NodeAdded{address, source}, actions);
      actions.emplace_back(node_note(nodes_.at(node), "node_joined", "is a member now"));
    }
  } else if (nodes_.at(*known).removed && source == NodeSource::kAdded) {
    nodes_.readmit(*known, now);
    save(NodeAdded{address, source}, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::announce_node(const Address& address,
                                 const std::string& incarnation,
                                 TimePoint now) {
  const std::optional<NodeId> known = nodes_.find(address);
  const bool taken_out = known && nodes_.at(*known).removed;
  if (taken_out && nodes_.at(*known).hello.incarnation != incarnation) {
    return add_node(address, NodeSource::kAdded, now);
  }
  return add_node(address, NodeSource::kJoined, now);
}

Actions Scheduler::remove_node(NodeId node, TimePoint now) {
  Actions actions;
  if (!nodes_.at(node).removed) {
    reclaim_queue(node);
    nodes_.remove(node);
    save(NodeTakenOut{nodes_.at(node).address, nodes_.at(node).hello.incarnation}, actions);
    actions.emplace_back(node_note(nodes_.at(node), "node_left", "was taken out by hand"));
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::heartbeat(NodeId node, const NodeBeat& beat, TimePoint now) {
  Actions actions;
  if (nodes_.at(node).forgotten) {
    return actions;  // The answer was on its way.
  }
  const NodeState before = nodes_.at(node).state;
  const bool is_new = nodes_.at(node).hello.incarnation != beat.hello.incarnation;
  nodes_.up(node, beat, now);
  const Node& known = nodes_.at(node);
  if (known.state != before || is_new) {
    actions.emplace_back(node_note(known, event_of(known.state), known.trouble));
  }
  if (known.state != NodeState::kAlive) {
    reclaim_queue(node);
  }
  if (is_new || known.state == NodeState::kFailed) {
    release_node(node, LossReason::kNodeRestarted, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::heartbeat_missed(NodeId node, const std::string& why, TimePoint now) {
  Actions actions;
  if (nodes_.at(node).forgotten) {
    return actions;
  }
  nodes_.missed(node, why);
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::node_gone(NodeId node, const std::string& why, TimePoint now) {
  Actions actions;
  const Node& known = nodes_.at(node);
  if (known.forgotten) {
    return actions;
  }
  const bool is_news = known.reachable();
  nodes_.down(node, why);
  if (is_news) {
    actions.emplace_back(node_note(known, event_of(known.state), known.trouble));
  }
  release_node(node, LossReason::kNodeFailed, now, actions);
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_taken(const TaskId& task, TimePoint now) {
  if (Job* const job = holder_of(task)) {
    job->round->take(task.shard, task.offer);
  }
  Actions actions;
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_accepted(const TaskId& task, TimePoint now) {
  Job* const job = holder_of(task);
  if (job != nullptr && job->round->accept(task.shard, task.offer)) {
    nodes_.accepted(job->round->lease(task.shard, task.offer)->node);
    if (job->state == JobState::kRecovering) {
      job->state = JobState::kRunning;
      ++job->version;
    }
  }
  Actions actions;
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_refused(NodeId node, const TaskId& task, TimePoint now) {
  nodes_.answered(node, task);
  nodes_.refused(node);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    job->round->refuse(task.shard, task.offer, now);
    ++job->tallies[node].refused;
    ++job->version;
    end_if_hopeless(*job, task.shard, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_done(NodeId node, const TaskId& task, TaskResult result, TimePoint now) {
  nodes_.answered(node, task);
  Actions actions;
  Job* const job = jobs_.running();
  const bool is_current = job != nullptr && job->id == task.job && job->round &&
                          job->round->number() == task.round && task.shard < job->round->size();
  if (is_current) {
    const Round::Lease* const lease = job->round->lease(task.shard, task.offer);
    const Duration taken = lease == nullptr ? Duration{} : now - lease->offered_at;
    std::vector<Round::Lease> superseded;
    const Verdict verdict =
        job->round->complete(task.shard, task.offer, std::move(result), now, superseded);
    if (verdict == Verdict::kCounted) {
      job->state = JobState::kRunning;
      nodes_.finished(node, taken, job->shard_rows[task.shard], now);
      ++job->tallies[node].tasks;
      ++job->version;
      for (const Round::Lease& lost : superseded) {
        actions.emplace_back(
            CancelTask{lost.node, job->round->id(job->id, task.shard, lost.offer)});
      }
      complete_if_all_in(*job, actions);
    } else if (verdict == Verdict::kConflict) {
      const std::string first = nodes_.at(job->round->task(task.shard).node).address.text();
      const std::string why = "its result has other bits than that of " + first;
      nodes_.fault(node, why, now);
      nodes_.failed(node);
      reclaim_queue(node);
      ++job->tallies[node].failed;
      Note note = task_note(task, "results_differ", nodes_.at(node).address.text());
      note.event.warning = true;
      note.event.reason = "conflicting_result";
      note.event.message = why + ": one of the two nodes is broken";
      actions.emplace_back(std::move(note));
    }
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_failed(
    NodeId node, const TaskId& task, LossReason reason, const std::string& why, TimePoint now) {
  nodes_.answered(node, task);
  nodes_.fault(node, why, now);
  nodes_.failed(node);
  reclaim_queue(node);
  Actions actions;
  note_loss(node, task, reason, why, actions);
  if (Job* const job = holder_of(task)) {
    job->round->fail(task.shard, task.offer, nodes_.at(node).address.text() + ": " + why, now);
    ++job->tallies[node].failed;
    ++job->version;
    end_if_hopeless(*job, task.shard, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_diverged(NodeId node, const TaskId& task, TimePoint now) {
  nodes_.answered(node, task);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    Note note = task_note(task, "task_diverged", nodes_.at(node).address.text());
    note.event.warning = true;
    note.event.reason = "diverged";
    note.event.message = "its loss is no longer finite";
    actions.emplace_back(std::move(note));
    job->round->diverge(task.shard, task.offer, now);
    ++job->version;
    end_if_diverged(*job, task.shard, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_lost(NodeId node,
                             const TaskId& task,
                             LossReason reason,
                             const std::optional<std::string>& fault,
                             TimePoint now) {
  nodes_.answered(node, task);
  Actions actions;
  // What breaks when a node leaves is no fault of it.
  const bool is_fault = fault && nodes_.at(node).state != NodeState::kLeft;
  if (is_fault) {
    nodes_.fault(node, *fault, now);
    nodes_.failed(node);
    reclaim_queue(node);
  }
  if (Job* const job = holder_of(task)) {
    if (is_fault) {
      note_loss(node, task, reason, *fault, actions);
      job->round->lose(task.shard, task.offer, now);
      ++job->tallies[node].failed;
    } else {
      job->round->give_back(task.shard, task.offer, now);
      nodes_.busy(node, now + backoff(nodes_.at(node).busy_in_a_row, jitter_));
      reclaim_queue(node);
    }
    ++job->version;
    end_if_hopeless(*job, task.shard, now, actions);
  }
  dispatch(now, actions);
  return actions;
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
  const Job* const job = jobs_.running();
  if (job == nullptr || !job->round || job->round->complete()) {
    return earliest;
  }
  const Round& round = *job->round;
  if (!round.has_takers()) {
    consider(round.idle_since() + options_.capacity_timeout);
  }
  if (job->specification->quorum > 0) {
    consider(round.started() + job->specification->round_deadline);
  }
  for (const std::uint32_t shard : round.choosy()) {
    consider(round.task(shard).forgiven_at);
  }
  if (!round.pending().empty()) {
    consider(nodes_.next_usable(now));
  }
  consider(round.next_late());
  if (holds_back(round, now)) {
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
  return waits ? "no node can take a task: " + nodes_.in_words(job.tallies) : "";
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

Job* Scheduler::holder_of(const TaskId& task) {
  Job* const job = jobs_.running();
  const bool holds = job != nullptr && job->id == task.job && job->round &&
                     job->round->number() == task.round &&
                     job->round->lease(task.shard, task.offer) != nullptr;
  return holds ? job : nullptr;
}

void Scheduler::dispatch(TimePoint now, Actions& actions) {
  judge_silence(now, actions);
  start_next(now, actions);
  Job* job = jobs_.running();
  if (job != nullptr && out_of_capacity(*job, now)) {
    begin_move(*job,
               {JobState::kFailed,
                {"no_capacity",
                 "no node accepted a task for " + seconds_in_words(options_.capacity_timeout) +
                     ": " + nodes_.in_words(job->tallies)}},
               now,
               actions);
  }
  if (Job* const first = jobs_.first()) {
    finish_move_if_settled(*first, actions);  // Others wait for no node.
  }
  start_next(now, actions);
  job = jobs_.running();
  if (job == nullptr) {
    return;
  }
  start_round(*job, now);
  if (job->round) {
    end_late_round(*job, now, actions);
    assign_pending(*job, now);
    offer_queued(*job, now, actions);
    copy_stragglers(*job, now, actions);
  }
}

void Scheduler::judge_silence(TimePoint now, Actions& actions) {
  if (nodes_.next_judgement().value_or(TimePoint::max()) > now) {
    return;
  }
  std::vector<NodeState> before;
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    before.push_back(nodes_.at(node).state);
  }
  std::vector<NodeId> forgotten;
  for (const NodeId node : nodes_.judge_silence(now, forgotten)) {
    release_node(node, LossReason::kNodeFailed, now, actions);
  }
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    const Node& known = nodes_.at(node);
    if (known.state != before[node] && !known.forgotten) {
      if (known.state == NodeState::kSuspect) {
        reclaim_queue(node);
      }
      actions.emplace_back(node_note(known, event_of(known.state), known.trouble));
    }
  }
  for (const NodeId node : forgotten) {
    actions.emplace_back(node_note(nodes_.at(node), "node_forgotten", "was silent for too long"));
    actions.emplace_back(UnwatchNode{node});
    save(NodeRemoved{nodes_.at(node).address}, actions);
  }
}

void Scheduler::reclaim_queue(NodeId node) {
  for (const std::uint32_t shard : nodes_.take_queue(node)) {
    jobs_.running()->round->unqueue(shard);
  }
}

void Scheduler::release_node(NodeId node, LossReason reason, TimePoint now, Actions& actions) {
  reclaim_queue(node);
  Job* const job = jobs_.running();
  const std::set<TaskId> offers = nodes_.at(node).offers;
  for (const TaskId& task : offers) {
    if (holder_of(task) == nullptr) {
      continue;
    }
    actions.emplace_back(CancelTask{node, task});
    note_loss(node, task, reason, nodes_.at(node).trouble, actions);
    job->round->lose(task.shard, task.offer, now);
    ++job->tallies[node].failed;
    ++job->version;
    end_if_hopeless(*job, task.shard, now, actions);
  }
  for (std::uint32_t shard = 0; job != nullptr && job->round && shard < job->round->size();
       ++shard) {
    end_if_diverged(*job, shard, now, actions);  // The others alive may all have said so.
  }
}

void Scheduler::note_loss(NodeId node,
                          const TaskId& task,
                          LossReason reason,
                          const std::string& why,
                          Actions& actions) const {
  Note note = task_note(task, "task_failed", nodes_.at(node).address.text());
  note.event.warning = true;
  note.event.reason = name_of(reason);
  note.event.message = why;
  actions.emplace_back(std::move(note));
}

void Scheduler::check_invariants() const {
  jobs_.check_invariants();
  if (const Job* const job = jobs_.running()) {
    check_invariants(*job);
  }
  GRADMILL_CHECK(saved_ticket_ <= last_ticket_);
}

}  // namespace gradmill::coordinator
