// Which task goes to which node, and when.
#include <algorithm>

#include "coordinator/core/nodes/backoff.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {

/// What of a job's pending tasks has not been tried yet: first the choosy ones, then the others.
struct Scheduler::Waiting {
  Job* job = nullptr;
  std::set<std::uint32_t>::const_iterator choosy;
  std::optional<std::set<std::uint32_t>::const_iterator> alike{};  ///< Once those are through.
  bool has_displaced = false;

  /// Displaced tasks are for nodes where the turns of their job say nothing, so they come first.
  [[nodiscard]] bool comes_first() const { return has_displaced && !alike; }
};

void Scheduler::assign_pending(TimePoint now, Actions& actions) {
  std::map<JobNumber, Waiting> waiting;
  std::vector<JobNumber> jobs;
  for (const auto& [number, job] : jobs_.running()) {
    if (job->round && !job->round->pending().empty()) {
      waiting[number] = {
          .job = job, .choosy = job->round->choosy().begin(), .has_displaced = has_displaced(*job)};
      jobs.push_back(number);
    }
  }
  const auto comes_first = [&](JobNumber job) { return waiting.at(job).comes_first(); };
  while (!jobs.empty()) {
    const auto first = std::find_if(jobs.begin(), jobs.end(), comes_first);
    const JobNumber next = first != jobs.end() ? *first : shares_.first(jobs).value();
    if (!assign_next(waiting.at(next), now)) {
      std::erase(jobs, next);
    } else if (policy_->waits_for_slots()) {
      offer_queued(now, actions);  // What it costs decides whose turn is next.
    }
  }
  offer_queued(now, actions);
}

bool Scheduler::assign_next(Waiting& waiting, TimePoint now) {
  Job& job = *waiting.job;
  Round& round = *job.round;
  while (waiting.choosy != round.choosy().end()) {
    const std::uint32_t shard = *waiting.choosy++;
    if (round.task(shard).forgiven_at.value_or(TimePoint::max()) <= now) {
      round.forgive(shard);
    }
    if (assign(job, shard, now)) {
      return true;
    }
    if (!round.task(shard).refused_by.empty() && !round.task(shard).forgiven_at) {
      round.back_off(shard, now + backoff(round.task(shard).backoffs, jitter_));
    }
  }
  auto& next = waiting.alike ? *waiting.alike : waiting.alike.emplace(round.pending().begin());
  while (next != round.pending().end()) {
    const std::uint32_t shard = *next++;
    if (round.choosy().contains(shard)) {
      continue;
    }
    if (assign(job, shard, now)) {
      return true;
    }
    // Nothing stood in this task's way, so the others will not find a node either.
    next = round.pending().end();
  }
  return false;
}

bool Scheduler::assign(Job& job, std::uint32_t shard, TimePoint now) {
  const Round::Task& task = job.round->task(shard);
  std::optional<NodeId> node = task.is_suspect() ? drained_for({job.number, shard}) : std::nullopt;
  if (!node && policy_->waits_for_slots() && !nodes_.has_free_slot()) {
    return false;
  }
  if (!node) {
    node =
        task.is_suspect()
            ? pick_idle(job, shard, {}, now)
            : policy_->pick(
                  nodes_.views(
                      job.round->closed_to(shard), task.failed_on, now, nodes_open_to(job, shard)),
                  job.round->pending().size());
  }
  if (node) {
    queue_at(job, shard, *node);
  }
  return node.has_value();
}

void Scheduler::queue_at(Job& job, std::uint32_t shard, NodeId node) {
  if (job.round->task(shard).is_suspect()) {
    nodes_.reserve(node, job.number);
  }
  job.round->queue(shard, node);
  nodes_.enqueue(node, {job.number, shard});
}

void Scheduler::offer_queued(TimePoint now, Actions& actions) {
  while (const std::optional<NodeId> id = nodes_.ready()) {
    const JobNumber turn = turn_at(*id);
    const std::uint32_t shard = nodes_.dequeue(*id, turn).value();
    Job& job = *jobs_.running().at(turn);
    make_offer(job, shard, *id, job.round->offer(shard, now), now, actions);
  }
}

JobNumber Scheduler::turn_at(NodeId id) const {
  const Node& node = nodes_.at(id);
  if (node.reserved) {
    return *node.reserved;  // It was there first, and runs alone.
  }
  std::vector<JobNumber> waiting;
  for (const auto& [number, queue] : node.queues) {
    if (!serves(id, *jobs_.running().at(number))) {
      return number;  // Displaced tasks: see Waiting.
    }
    waiting.push_back(number);
  }
  return shares_.first(waiting).value();
}

void Scheduler::make_offer(Job& job,
                           std::uint32_t shard,
                           NodeId node,
                           std::uint64_t number,
                           TimePoint now,
                           Actions& actions) {
  job.last_offer = std::max(job.last_offer, number);
  OfferTask& action = std::get<OfferTask>(actions.emplace_back(OfferTask{node, {}}));
  action.offer.id = job.round->id(job.id, shard, number);
  action.offer.job_digest = job.digest;
  action.offer.job = job.specification;
  if (job.prediction) {
    const Batch& batch = job.prediction->batch(shard);
    action.offer.shard = job.specification->shards[batch.shard];
    action.offer.rows = batch.rows;
  } else {
    action.offer.shard = job.specification->shards[shard];
  }
  action.offer.weights = job.round_weights;
  action.offer.load_rule = policy_->load_rule();
  action.offer.prompt = job.round->task(shard).ended_with > 0;
  nodes_.offer(node, action.offer.id);
  bills_[action.offer.id] = {shares_.charge(job.number, expected_cost(job, shard)), now};
}

std::optional<NodeId> Scheduler::pick_idle(const Job& job,
                                           std::uint32_t shard,
                                           const std::set<NodeId>& but,
                                           TimePoint now) {
  const Round::Task& task = job.round->task(shard);
  std::set<NodeId> closed = job.round->closed_to(shard);
  closed.insert(but.begin(), but.end());
  std::vector<NodeView> idle = nodes_.views(closed, task.failed_on, now, nodes_open_to(job, shard));
  const bool alone = task.is_suspect();
  std::erase_if(idle,
                [&](const NodeView& view) { return view.in_flight >= (alone ? 1U : view.slots); });
  return policy_->pick(idle, 1);
}

void Scheduler::relieve_late_nodes(TimePoint now, Actions& actions) {
  if (!nodes_.has_free_slot()) {
    return;
  }
  std::set<NodeId> late;
  for (const auto& [number, job] : jobs_.running()) {
    if (job->round) {
      late.merge(job->round->late_nodes(now));
    }
  }
  std::set<NodeId> but = late;
  for (NodeId node = 0; !late.empty() && node < nodes_.size(); ++node) {
    const bool is_wanted =
        std::any_of(jobs_.running().begin(), jobs_.running().end(), [&](const auto& one) {
          return one.second->round && one.second->round->wants(node) && serves(node, *one.second);
        });
    if (is_wanted) {
      but.insert(node);  // What waits for it comes first.
    }
  }
  for (const NodeId node : late) {
    const std::map<JobNumber, std::deque<std::uint32_t>> queues = nodes_.at(node).queues;
    for (const auto& [job, queue] : queues) {
      auto next = queue.rbegin();
      while (next != queue.rend() && move_queued({job, *next}, node, but, now, actions)) {
        ++next;
      }
    }
  }
}

bool Scheduler::move_queued(const TaskKey& task,
                            NodeId late,
                            const std::set<NodeId>& but,
                            TimePoint now,
                            Actions& actions) {
  Job& job = *jobs_.running().at(task.job);
  const std::optional<NodeId> idle = pick_idle(job, task.shard, but, now);
  if (!idle) {
    // If nothing stood in this task's way, the others will not find a node either.
    return !job.round->is_alike(task.shard);
  }
  nodes_.withdraw(late, task);
  job.round->unqueue(task.shard);
  queue_at(job, task.shard, *idle);
  offer_queued(now, actions);
  note_straggler(job, task.shard, "task_moved", late, "takes it over, since ", actions);
  return true;
}

void Scheduler::copy_stragglers(Job& job, TimePoint now, Actions& actions) {
  Round& round = *job.round;
  if (!round.pending().empty() || !nodes_.has_free_slot()) {
    return;
  }
  for (const std::uint32_t shard : round.late(now)) {
    const Round::Task& task = round.task(shard);
    const Round::Lease late = task.leases.front();
    if (const std::optional<NodeId> node = pick_idle(job, shard, {late.node}, now)) {
      if (task.is_suspect()) {
        nodes_.reserve(*node, job.number);
      }
      make_offer(job, shard, *node, round.copy(shard, *node, now), now, actions);
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

bool Scheduler::holds_back(const Job& job, TimePoint now) const {
  const Round& round = *job.round;
  if (round.pending().empty() || !nodes_.has_free_slot()) {
    return false;
  }
  const std::vector<NodeView>& views = nodes_.views({}, {}, now);
  return std::any_of(views.begin(), views.end(), [&](const NodeView& view) {
    return view.in_flight < view.slots && round.wants(view.id) && serves(view.id, job);
  });
}

}  // namespace gradmill::coordinator
