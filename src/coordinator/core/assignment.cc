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
  const Round::Task& task = job.round->task(shard);
  const std::optional<NodeId> node = policy_->pick(
      nodes_.views(job.round->closed_to(shard), task.failed_on, now), job.round->pending().size());
  if (node) {
    job.round->queue(shard, *node);
    nodes_.enqueue(*node, shard);
  }
  return node.has_value();
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
  nodes_.offer(node, action.offer.id);
}

void Scheduler::copy_stragglers(Job& job, TimePoint now, Actions& actions) {
  Round& round = *job.round;
  if (!round.pending().empty() || !nodes_.has_free_slot()) {
    return;
  }
  for (const std::uint32_t shard : round.late(now)) {
    const Round::Task& task = round.task(shard);
    const Round::Lease late = task.leases.front();
    std::set<NodeId> closed = round.closed_to(shard);
    closed.insert(late.node);
    std::vector<NodeView> idle = nodes_.views(closed, task.failed_on, now);
    std::erase_if(idle, [](const NodeView& view) { return view.in_flight >= view.slots; });
    if (const std::optional<NodeId> node = policy_->pick(idle, 1)) {
      make_offer(job, shard, *node, round.copy(shard, *node, now), actions);
      nodes_.copied(*node);
      Note note;
      note.job = job.id;
      note.event.event = "straggler_copied";
      note.event.round = round.number();
      note.event.shard = shard;
      note.event.attempt = task.leases.back().offer;
      note.event.node = nodes_.at(*node).address.text();
      note.event.message =
          "tries it too, since " + nodes_.at(late.node).address.text() + " takes long";
      actions.emplace_back(std::move(note));
    }
  }
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
