// What the scheduler does when nodes come, go, answer or fall silent.
#include <algorithm>
#include <utility>

#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

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
  if (taken_out && nodes_.at(*known).removed_incarnation != incarnation) {
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
  // A process that was leaving, or whose node was taken out, has not died of its tasks.
  if (is_new && before != NodeState::kLeft) {
    // What was begun after the new process had started was begun by it.
    count_deaths(node, now - beat.took - beat.uptime, now, actions);
  } else {
    settle_losses(node);
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

Actions Scheduler::node_gone(NodeId node, const std::string& why, Duration took, TimePoint now) {
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
  if (known.state == NodeState::kLeft) {
    settle_losses(node);
  } else {
    // What was begun after the question may be with a process that started after the answer.
    count_deaths(node, now - took, now, actions);
  }
  dispatch(now, actions);
  return actions;
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
  for (const TaskKey& task : nodes_.take_queue(node)) {
    jobs_.running().at(task.job)->round->unqueue(task.shard);
  }
}

void Scheduler::settle_losses(NodeId node) {
  for (const auto& [number, job] : jobs_.running()) {
    if (job->round) {
      job->round->survived(node);
    }
  }
}

void Scheduler::count_deaths(NodeId node, TimePoint until, TimePoint now, Actions& actions) {
  for (const auto& [number, job] : jobs_.running()) {
    if (!job->round) {
      continue;
    }
    const std::vector<std::uint32_t> shards = job->round->died(node, until);
    for (const std::uint32_t shard : shards) {
      const Round::Task& task = job->round->task(shard);
      if (task.place == Round::Place::kQueued) {  // It may be among others there.
        nodes_.withdraw(task.node, {number, shard});
        job->round->unqueue(shard);
      }
    }
    for (const std::uint32_t shard : shards) {
      end_if_hopeless(*job, shard, now, actions);
    }
  }
}

void Scheduler::release_node(NodeId node, LossReason reason, TimePoint now, Actions& actions) {
  reclaim_queue(node);
  const std::set<TaskId> offers = nodes_.at(node).offers;
  for (const TaskId& task : offers) {
    Job* const job = holder_of(task);
    if (job == nullptr) {
      continue;
    }
    actions.emplace_back(CancelTask{node, task});
    note_loss(node, task, reason, nodes_.at(node).trouble, actions);
    job->round->lose(task.shard, task.offer, now);
    nodes_.failed(node);
    ++job->tallies[node].failed;
    ++job->version;
    end_if_hopeless(*job, task.shard, now, actions);
  }
  for (const auto& [number, job] : jobs_.running()) {
    for (std::uint32_t shard = job->round ? job->round->first() : 0;
         job->round && shard < job->round->size();
         ++shard) {
      end_if_diverged(*job, shard, now, actions);  // The others alive may all have said so.
    }
  }
}

}  // namespace gradmill::coordinator
