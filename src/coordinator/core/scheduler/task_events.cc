// What the scheduler does when an offer is taken, and when it ends.
#include <algorithm>
#include <utility>

#include "coordinator/core/nodes/backoff.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

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

}  // namespace

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
  if (job != nullptr && job->round->accept(task.shard, task.offer, now)) {
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
  end_offer(node, task, SlotTime::kWasted, now);
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
  end_offer(node, task, SlotTime::kUsed, now);
  Actions actions;
  Job* const job = jobs_.running(task.job);
  const bool is_current = job != nullptr && job->round && job->round->number() == task.round &&
                          job->round->has(task.shard);
  if (is_current) {
    const Round::Lease* const lease = job->round->lease(task.shard, task.offer);
    const Duration taken = lease == nullptr ? Duration{} : now - lease->offered_at;
    std::vector<Round::Lease> superseded;
    const Verdict verdict =
        job->round->complete(task.shard, task.offer, std::move(result), now, superseded);
    if (verdict == Verdict::kCounted) {
      job->state = JobState::kRunning;
      measure(*job, node, task.shard, taken, now);
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
  end_offer(node, task, SlotTime::kUsed, now);
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
  end_offer(node, task, SlotTime::kUsed, now);
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
  end_offer(node, task, SlotTime::kWasted, now);
  Actions actions;
  // What breaks when a node leaves is no fault of it.
  const bool is_fault = fault && nodes_.at(node).state != NodeState::kLeft;
  if (is_fault) {
    nodes_.fault(node, *fault, now);
    reclaim_queue(node);
  }
  if (Job* const job = holder_of(task)) {
    if (is_fault) {
      nodes_.failed(node);  // Others were counted when they were taken back, or were not wanted.
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

Job* Scheduler::holder_of(const TaskId& task) {
  Job* const job = jobs_.running(task.job);
  const bool holds = job != nullptr && job->round && job->round->number() == task.round &&
                     job->round->lease(task.shard, task.offer) != nullptr;
  return holds ? job : nullptr;
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

}  // namespace gradmill::coordinator
