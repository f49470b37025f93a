// Which task goes to which node, and when.
#include <algorithm>

#include "coordinator/core/backoff.h"
#include "coordinator/core/scheduler.h"

namespace gradmill::coordinator {

void Scheduler::assign_pending(Job& job, TimePoint now) {
  Round& round = *job.round;
  for (auto next = round.choosy().begin(); next != round.choosy().end();) {
    const std::uint32_t shard = *next++;
    if (round.task(shard).forgiven_at.value_or(TimePoint::max()) <= now) {
      round.forgive(shard);
    }
    if (!assign(job, shard, now) && !round.task(shard).refused_by.empty() &&
        !round.task(shard).forgiven_at) {
      round.back_off(shard, now + backoff(round.task(shard).backoffs, jitter_));
    }
  }
  for (auto next = round.pending().begin(); next != round.pending().end();) {
    const std::uint32_t shard = *next++;
    if (!round.choosy().contains(shard) && !assign(job, shard, now)) {
      break;  // Nothing stood in this task's way, so the others will not find a node either.
    }
  }
}

bool Scheduler::assign(Job& job, std::uint32_t shard, TimePoint now) {
  if (policy_->waits_for_slots() && !nodes_.has_free_slot()) {
    return false;
  }
  Round& round = *job.round;
  const Round::Task& task = round.task(shard);
  const std::optional<NodeId> node =
      task.is_suspect() ? pick_idle(round, shard, {}, now)
                        : policy_->pick(nodes_.views(round.closed_to(shard), task.failed_on, now),
                                        round.pending().size());
  if (node) {
    queue_at(job, shard, *node);
  }
  return node.has_value();
}

void Scheduler::queue_at(Job& job, std::uint32_t shard, NodeId node) {
  if (job.round->task(shard).is_suspect()) {
    nodes_.reserve(node);
  }
  job.round->queue(shard, node);
  nodes_.enqueue(node, shard);
}

void Scheduler::offer_queued(Job& job, TimePoint now, Actions& actions) {
  while (const std::optional<NodeId> node = nodes_.ready()) {
    const std::uint32_t shard = nodes_.dequeue(*node).value();
    make_offer(job, shard, *node, job.round->offer(shard, now), actions);
  }
}

void Scheduler::make_offer(
    Job& job, std::uint32_t shard, NodeId node, std::uint64_t number, Actions& actions) {
  job.last_offer = std::max(job.last_offer, number);
  OfferTask& action = std::get<OfferTask>(actions.emplace_back(OfferTask{node, {}}));
  action.offer.id = job.round->id(job.id, shard, number);
  action.offer.job_digest = job.digest;
  action.offer.job = job.specification;
  action.offer.shard = job.specification->shards[shard];
  action.offer.weights = job.round_weights;
  action.offer.load_rule = policy_->load_rule();
  action.offer.prompt = job.round->task(shard).ended_with > 0;
  nodes_.offer(node, action.offer.id);
}

std::optional<NodeId> Scheduler::pick_idle(const Round& round,
                                           std::uint32_t shard,
                                           const std::set<NodeId>& but,
                                           TimePoint now) {
  std::set<NodeId> closed = round.closed_to(shard);
  closed.insert(but.begin(), but.end());
  std::vector<NodeView> idle = nodes_.views(closed, round.task(shard).failed_on, now);
  const bool alone = round.task(shard).is_suspect();
  std::erase_if(idle,
                [&](const NodeView& view) { return view.in_flight >= (alone ? 1U : view.slots); });
  return policy_->pick(idle, 1);
}

void Scheduler::relieve_late_nodes(Job& job, TimePoint now, Actions& actions) {
  Round& round = *job.round;
  if (round.queued() == 0 || !nodes_.has_free_slot()) {
    return;
  }
  const std::set<NodeId> late = round.late_nodes(now);
  std::set<NodeId> but = late;
  for (NodeId node = 0; !late.empty() && node < nodes_.size(); ++node) {
    if (round.wants(node)) {
      but.insert(node);  // What waits for it comes first.
    }
  }
  for (const NodeId node : late) {
    const std::deque<std::uint32_t> queue = nodes_.at(node).queue;
    for (auto next = queue.rbegin(); next != queue.rend(); ++next) {
      const std::uint32_t shard = *next;
      const std::optional<NodeId> idle = pick_idle(round, shard, but, now);
      if (!idle && round.is_alike(shard)) {
        return;  // Nothing stood in this task's way, so the others will not find a node either.
      }
      if (idle) {
        nodes_.withdraw(node, shard);
        round.unqueue(shard);
        queue_at(job, shard, *idle);
        offer_queued(job, now, actions);
        note_straggler(job, shard, "task_moved", node, "takes it over, since ", actions);
      }
    }
  }
}

void Scheduler::copy_stragglers(Job& job, TimePoint now, Actions& actions) {
  Round& round = *job.round;
  if (!round.pending().empty() || !nodes_.has_free_slot()) {
    return;
  }
  for (const std::uint32_t shard : round.late(now)) {
    const Round::Task& task = round.task(shard);
    const Round::Lease late = task.leases.front();
    if (const std::optional<NodeId> node = pick_idle(round, shard, {late.node}, now)) {
      if (task.is_suspect()) {
        nodes_.reserve(*node);
      }
      make_offer(job, shard, *node, round.copy(shard, *node, now), actions);
      nodes_.copied(*node);
      note_straggler(job, shard, "straggler_copied", late.node, "tries it too, since ", actions);
    }
  }
}

void Scheduler::note_straggler(const Job& job,
                               std::uint32_t shard,
                               const std::string& event,
                               NodeId late,
                               const std::string& what,
                               Actions& actions) const {
  const Round::Lease& lease = job.round->task(shard).leases.back();
  Note note;
  note.job = job.id;
  note.event.event = event;
  note.event.round = job.round->number();
  note.event.shard = shard;
  note.event.attempt = lease.offer;
  note.event.node = nodes_.at(lease.node).address.text();
  note.event.message = what + nodes_.at(late).address.text() + " takes long";
  actions.emplace_back(std::move(note));
}

bool Scheduler::out_of_capacity(const Job& job, TimePoint now) const {
  return job.round && !job.round->complete() && !job.round->has_takers() &&
         now - job.round->idle_since() >= options_.capacity_timeout;
}

bool Scheduler::holds_back(const Round& round, TimePoint now) const {
  if (round.pending().empty() || !nodes_.has_free_slot()) {
    return false;
  }
  const std::vector<NodeView>& views = nodes_.views({}, {}, now);
  return std::any_of(views.begin(), views.end(), [&](const NodeView& view) {
    return view.in_flight < view.slots && round.wants(view.id);
  });
}

}  // namespace gradmill::coordinator
