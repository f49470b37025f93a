// The invariants of a round.
#include "base/check.h"
#include "coordinator/core/round/round.h"

namespace gradmill::coordinator {

void Round::check_invariants() const {
  std::size_t done = first_;
  std::size_t skipped = 0;
  std::size_t offered = 0;
  std::size_t taken = 0;
  std::size_t accepted = 0;
  std::size_t waiting = 0;
  std::size_t choosy = 0;
  std::size_t singles = 0;
  for (std::uint32_t shard = first_; shard < size(); ++shard) {
    const Task& task = this->task(shard);
    const bool pending = task.place == Place::kPending;
    done += task.place == Place::kDone ? 1U : 0U;
    skipped += task.place == Place::kSkipped ? 1U : 0U;
    waiting += pending ? 1U : 0U;
    choosy += is_choosy(task) ? 1U : 0U;
    singles += task.leases.size() == 1 && singles_.contains({task.leases.front().offered_at, shard})
                   ? 1U
                   : 0U;
    GRADMILL_CHECK(task.leases.size() != 1 ||
                   task.leases.front().taken ==
                       singles_.contains({task.leases.front().offered_at, shard}));
    for (const Lease& one : task.leases) {
      ++offered;
      taken += one.taken ? 1U : 0U;
      accepted += one.accepted ? 1U : 0U;
      GRADMILL_CHECK(one.taken || !one.accepted);
      GRADMILL_CHECK(leases_.contains({one.offered_at, shard, one.node}));
    }
    GRADMILL_CHECK((task.place == Place::kOffered) == !task.leases.empty());
    GRADMILL_CHECK(task.leases.size() <= 1 ||
                   (task.leases.size() == 2 && task.leases[0].node != task.leases[1].node));
    GRADMILL_CHECK(out_.contains(shard) == !task.leases.empty());
    GRADMILL_CHECK(!task.forgiven_at || !task.refused_by.empty());
    GRADMILL_CHECK(pending == pending_.contains(shard));
    GRADMILL_CHECK(is_choosy(task) == choosy_.contains(shard));
    GRADMILL_CHECK((task.place == Place::kDone) == (task.result.delta.bytes != nullptr));
  }
  GRADMILL_CHECK(done == done_ && skipped == skipped_ && waiting == pending_.size());
  GRADMILL_CHECK(offered == offered_ && offered == leases_.size());
  GRADMILL_CHECK(taken == taken_ && accepted == accepted_);
  GRADMILL_CHECK(choosy == choosy_.size() && singles == singles_.size());
}

void Round::check_invariants(const std::string& job,
                             JobNumber number,
                             const NodeRegistry& nodes) const {
  std::size_t queued = 0;
  for (NodeId node = 0; node < nodes.size(); ++node) {
    const auto queue = nodes.at(node).queues.find(number);
    if (queue == nodes.at(node).queues.end()) {
      continue;
    }
    queued += queue->second.size();
    for (const std::uint32_t shard : queue->second) {
      GRADMILL_CHECK(task(shard).place == Place::kQueued && task(shard).node == node);
    }
  }
  for (std::uint32_t shard = first_; shard < size(); ++shard) {
    queued -= task(shard).place == Place::kQueued ? 1U : 0U;
    for (const Lease& one : task(shard).leases) {
      GRADMILL_CHECK(nodes.at(one.node).may_hold_leases());
      GRADMILL_CHECK(nodes.at(one.node).offers.contains(id(job, shard, one.offer)));
    }
  }
  GRADMILL_CHECK(queued == 0);
}

}  // namespace gradmill::coordinator
