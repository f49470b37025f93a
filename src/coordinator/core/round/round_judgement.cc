// What the books of a round tell: whom a task may go to, what is late, and what has no hope.
#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

#include "coordinator/core/round/round.h"

namespace gradmill::coordinator {
namespace {

// Failures of a shard that end the job once every node alive has failed at it.
constexpr std::size_t kFailuresMax = 4;
// Processes that a shard ended, on at least two nodes, that end the job.
constexpr std::size_t kDeathsMax = 4;
// Failures, or begun tasks that a node took with it or gave back, that end the job whatever the
// nodes: so many that they are no accident, and a job must not go on for ever.
constexpr std::size_t kTriesMax = 16;
// An offer is late when it takes so many times the median of the shards done, and at least this.
constexpr double kLateFactor = 2;
constexpr std::chrono::seconds kLateMin{1};
// Its task is copied once this share of the shards is done.
constexpr double kCopyShare = 0.75;

}  // namespace

bool Round::wants(NodeId node) const {
  return pending_.size() > choosy_.size() ||
         std::any_of(choosy_.begin(), choosy_.end(), [&](std::uint32_t shard) {
           return !task(shard).refused_by.contains(node) && !task(shard).diverged_on.contains(node);
         });
}

std::set<NodeId> Round::closed_to(std::uint32_t shard) const {
  std::set<NodeId> nodes = task(shard).refused_by;
  nodes.insert(task(shard).diverged_on.begin(), task(shard).diverged_on.end());
  return nodes;
}

bool Round::diverged(std::uint32_t shard, const NodeRegistry& nodes) const {
  const std::set<NodeId>& said = task(shard).diverged_on;
  if (said.empty()) {
    return false;
  }
  const std::set<NodeId> alive = nodes.alive();
  const bool everywhere = std::includes(said.begin(), said.end(), alive.begin(), alive.end());
  return said.size() >= 2 || everywhere;
}

std::optional<JobEnd> Round::hopeless(std::uint32_t shard,
                                      const std::string& name,
                                      const NodeRegistry& nodes) const {
  const Task& task = this->task(shard);
  const std::set<NodeId> dead(task.died_on.begin(), task.died_on.end());
  if (task.died_on.size() >= kDeathsMax && dead.size() >= 2) {
    return JobEnd{"poison_shard",
                  name + " ended " + std::to_string(task.died_on.size()) +
                      " processes that had begun it, on " + std::to_string(dead.size()) +
                      " nodes, last on " + nodes.at(task.died_on.back()).address.text() +
                      "; see the nodes' logs"};
  }
  const std::size_t begun = task.died_on.size() + task.given_back;
  if (begun >= kTriesMax) {
    return JobEnd{"shard_failed",
                  name + " was begun " + std::to_string(begun) + " times for nothing, last on " +
                      nodes.at(task.node).address.text()};
  }
  std::set<NodeId> failed(task.failed_on.begin(), task.failed_on.end());
  failed.insert(task.diverged_on.begin(), task.diverged_on.end());
  const std::set<NodeId> alive = nodes.alive();
  const bool everywhere = std::includes(failed.begin(), failed.end(), alive.begin(), alive.end());
  if ((task.failed_on.size() >= kFailuresMax && everywhere) || task.failed_on.size() >= kTriesMax) {
    return JobEnd{"shard_failed",
                  name + " failed " + std::to_string(task.failed_on.size()) + " times, last on " +
                      task.last_failure};
  }
  return std::nullopt;
}

std::optional<Duration> Round::late_after() const {
  if (done_ == 0) {
    return std::nullopt;
  }
  const std::chrono::duration<double> late(kLateFactor * seconds_.value());
  return std::max<Duration>(kLateMin, std::chrono::ceil<Duration>(late));
}

std::optional<Duration> Round::copied_after() const {
  const double share = static_cast<double>(done_) / static_cast<double>(size());
  return share < kCopyShare ? std::nullopt : late_after();
}

std::set<NodeId> Round::late_nodes(TimePoint now) const {
  std::set<NodeId> nodes;
  const std::optional<Duration> wait = late_after();
  for (auto next = leases_.begin();
       wait && next != leases_.end() && std::get<TimePoint>(*next) + *wait <= now;
       ++next) {
    nodes.insert(std::get<2>(*next));
  }
  return nodes;
}

std::optional<TimePoint> Round::next_late_node(TimePoint now) const {
  const std::optional<Duration> wait = late_after();
  if (!wait) {
    return std::nullopt;
  }
  constexpr auto kLast = std::numeric_limits<std::uint32_t>::max();
  const auto next = leases_.upper_bound({now - *wait, kLast, kLast});
  return next == leases_.end() ? std::nullopt : std::optional(std::get<TimePoint>(*next) + *wait);
}

std::vector<std::uint32_t> Round::late(TimePoint now) const {
  std::vector<std::uint32_t> shards;
  const std::optional<Duration> wait = copied_after();
  for (auto next = singles_.begin(); wait && next != singles_.end() && next->first + *wait <= now;
       ++next) {
    if (task(next->second).copy_from <= now) {
      shards.push_back(next->second);
    }
  }
  return shards;
}

std::optional<TimePoint> Round::next_late() const {
  std::optional<TimePoint> earliest;
  const std::optional<Duration> wait = copied_after();
  for (auto next = singles_.begin();
       wait && next != singles_.end() && (!earliest || next->first + *wait < *earliest);
       ++next) {
    const TimePoint due = std::max(task(next->second).copy_from, next->first + *wait);
    earliest = earliest ? std::min(*earliest, due) : due;
  }
  return earliest;
}
}  // namespace gradmill::coordinator
