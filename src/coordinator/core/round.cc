#include "coordinator/core/round.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace gradmill::coordinator {
namespace {

// Failures of a shard that end the job once every node alive has failed at it.
constexpr std::size_t kFailuresMax = 4;
// Nodes that a shard took with it, at least two different ones, that end the job.
constexpr std::size_t kDeathsMax = 4;
// Failures, or nodes that began and did not finish, that end the job whatever the nodes: so many
// that they are no accident, and a job must not go on for ever.
constexpr std::size_t kTriesMax = 16;

}  // namespace

Round::Round(std::uint32_t number, std::size_t shards, TimePoint started)
    : number_(number), started_(started), idle_since_(started), tasks_(shards) {
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    pending_.insert(pending_.end(), shard);
  }
}

void Round::queue(std::uint32_t shard, NodeId node) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kPending);
  task.place = Place::kQueued;
  task.node = node;
  pending_.erase(shard);
  choosy_.erase(shard);
}

std::uint64_t Round::offer(std::uint32_t shard, TimePoint now) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued);
  task.place = Place::kOffered;
  task.offered_at = now;
  ++offered_;
  return ++task.offer;
}

bool Round::is_current(std::uint32_t shard, std::uint64_t offer) const {
  return shard < tasks_.size() && tasks_[shard].place == Place::kOffered &&
         tasks_[shard].offer == offer;
}

bool Round::accept(std::uint32_t shard, std::uint64_t offer) {
  if (!is_current(shard, offer) || tasks_[shard].accepted) {
    return false;
  }
  Task& task = tasks_[shard];
  task.accepted = true;
  task.backoffs = 0;
  task.refused_by.clear();
  task.forgiven_at.reset();
  ++accepted_;
  return true;
}

Round::Task& Round::leave_node(std::uint32_t shard, TimePoint now) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued || task.place == Place::kOffered);
  if (task.place == Place::kOffered) {
    --offered_;
  }
  if (std::exchange(task.accepted, false)) {
    --accepted_;
    idle_since_ = now;
  }
  task.place = Place::kPending;
  pending_.insert(shard);
  keep_choosy(shard);
  return task;
}

void Round::keep_choosy(std::uint32_t shard) {
  if (is_choosy(tasks_[shard])) {
    choosy_.insert(shard);
  } else {
    choosy_.erase(shard);
  }
}

bool Round::is_choosy(const Task& task) {
  const bool all_alike =
      task.refused_by.empty() && task.failed_on.empty() && task.diverged_on.empty();
  return task.place == Place::kPending && !all_alike;
}

void Round::refuse(std::uint32_t shard, TimePoint now) {
  if (tasks_.at(shard).accepted) {
    // A node that first accepts and then refuses must not do so for ever.
    ++tasks_[shard].given_back;
  }
  Task& task = leave_node(shard, now);
  task.refused_by.insert(task.node);
  keep_choosy(shard);
}

void Round::fail(std::uint32_t shard, const std::string& why, TimePoint now) {
  Task& task = leave_node(shard, now);
  task.failed_on.push_back(task.node);
  task.last_failure = why;
  keep_choosy(shard);
}

void Round::diverge(std::uint32_t shard, TimePoint now) {
  Task& task = leave_node(shard, now);
  idle_since_ = now;  // It was tried, also if the node answered at once.
  task.diverged_on.insert(task.node);
  keep_choosy(shard);
}

void Round::lose(std::uint32_t shard, TimePoint now) {
  const bool had_begun = tasks_.at(shard).accepted;
  Task& task = leave_node(shard, now);
  if (had_begun) {
    task.died_on.push_back(task.node);
  }
}

void Round::give_back(std::uint32_t shard, TimePoint now) {
  const bool had_begun = tasks_.at(shard).accepted;
  Task& task = leave_node(shard, now);
  task.given_back += had_begun ? 1U : 0U;
}

void Round::back_off(std::uint32_t shard, TimePoint forgiven_at) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kPending && !task.refused_by.empty());
  task.forgiven_at = forgiven_at;
  ++task.backoffs;
}

void Round::forgive(std::uint32_t shard) {
  Task& task = tasks_.at(shard);
  task.refused_by.clear();
  task.forgiven_at.reset();
  keep_choosy(shard);
}

bool Round::wants(NodeId node) const {
  return pending_.size() > choosy_.size() ||
         std::any_of(choosy_.begin(), choosy_.end(), [&](std::uint32_t shard) {
           return !tasks_[shard].refused_by.contains(node) &&
                  !tasks_[shard].diverged_on.contains(node);
         });
}

std::set<NodeId> Round::closed_to(std::uint32_t shard) const {
  std::set<NodeId> nodes = tasks_.at(shard).refused_by;
  nodes.insert(tasks_[shard].diverged_on.begin(), tasks_[shard].diverged_on.end());
  return nodes;
}

bool Round::diverged(std::uint32_t shard, const NodeRegistry& nodes) const {
  const std::set<NodeId>& said = tasks_.at(shard).diverged_on;
  const std::set<NodeId> alive = nodes.alive();
  const bool everywhere = std::includes(said.begin(), said.end(), alive.begin(), alive.end());
  return said.size() >= 2 || (!said.empty() && everywhere);
}

std::optional<JobEnd> Round::hopeless(std::uint32_t shard, const NodeRegistry& nodes) const {
  const Task& task = tasks_.at(shard);
  const std::string name =
      "shard " + std::to_string(shard + 1) + " of round " + std::to_string(number_);
  const std::size_t begun = task.died_on.size() + task.given_back;
  const std::set<NodeId> dead(task.died_on.begin(), task.died_on.end());
  if ((task.died_on.size() >= kDeathsMax && dead.size() >= 2) || begun >= kTriesMax) {
    return JobEnd{"poison_shard",
                  name + " was lost " + std::to_string(begun) +
                      " times after a node had begun it, last on " +
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

TaskId Round::id(const std::string& job, std::uint32_t shard) const {
  return {.job = job, .round = number_, .shard = shard, .offer = tasks_.at(shard).offer};
}

std::vector<Blob> Round::deltas() const {
  std::vector<Blob> deltas;
  deltas.reserve(tasks_.size());
  for (const Task& task : tasks_) {
    deltas.push_back(task.result.delta);
  }
  return deltas;
}

RoundReport Round::report(const NodeRegistry& nodes, TimePoint now) const {
  RoundReport report;
  report.round = number_;
  report.seconds = std::chrono::duration<double>(now - started_).count();
  report.tasks.reserve(tasks_.size());
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    const Task& task = tasks_[shard];
    report.tasks.push_back({.shard = shard,
                            .node = nodes.at(task.node).address.text(),
                            .transfer = task.transfer_seconds,
                            .compute = task.result.compute_seconds,
                            .wait = task.wait_seconds,
                            .epochs = task.result.epochs,
                            .loss = task.result.loss});
  }
  return report;
}

Verdict Round::complete(std::uint32_t shard,
                        std::uint64_t offer,
                        TaskResult result,
                        TimePoint now) {
  if (shard < tasks_.size() && tasks_[shard].place == Place::kDone) {
    return Verdict::kDuplicate;
  }
  if (!is_current(shard, offer)) {
    return Verdict::kStale;
  }
  using Seconds = std::chrono::duration<double>;
  Task& task = tasks_[shard];
  if (std::exchange(task.accepted, false)) {
    --accepted_;
  }
  idle_since_ = now;  // Whoever answered at once never said that it had begun.
  --offered_;
  task.place = Place::kDone;
  task.wait_seconds = Seconds(task.offered_at - started_).count() + result.delay_seconds;
  task.transfer_seconds = std::max(
      0.0, Seconds(now - task.offered_at).count() - result.compute_seconds - result.delay_seconds);
  task.result = std::move(result);
  ++done_;
  return Verdict::kCounted;
}

void Round::check_invariants() const {
  std::size_t done = 0;
  std::size_t offered = 0;
  std::size_t accepted = 0;
  std::size_t waiting = 0;
  std::size_t choosy = 0;
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    const Task& task = tasks_[shard];
    const bool pending = task.place == Place::kPending;
    done += task.place == Place::kDone ? 1U : 0U;
    offered += task.place == Place::kOffered ? 1U : 0U;
    accepted += task.accepted ? 1U : 0U;
    waiting += pending ? 1U : 0U;
    choosy += is_choosy(task) ? 1U : 0U;
    GRADMILL_CHECK(!task.accepted || task.place == Place::kOffered);
    GRADMILL_CHECK(!task.forgiven_at || !task.refused_by.empty());
    GRADMILL_CHECK(pending == pending_.contains(shard));
    GRADMILL_CHECK(is_choosy(task) == choosy_.contains(shard));
    GRADMILL_CHECK((task.place == Place::kDone) == (task.result.delta.bytes != nullptr));
  }
  GRADMILL_CHECK(done == done_ && offered == offered_ && accepted == accepted_);
  GRADMILL_CHECK(waiting == pending_.size() && choosy == choosy_.size());
}

void Round::check_invariants(const std::string& job, const NodeRegistry& nodes) const {
  std::size_t queued = 0;
  for (NodeId node = 0; node < nodes.size(); ++node) {
    const std::deque<std::uint32_t>& queue = nodes.at(node).queue;
    GRADMILL_CHECK(nodes.at(node).alive || queue.empty());
    queued += queue.size();
    for (const std::uint32_t shard : queue) {
      GRADMILL_CHECK(tasks_.at(shard).place == Place::kQueued && tasks_[shard].node == node);
    }
  }
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    const Task& task = tasks_[shard];
    queued -= task.place == Place::kQueued ? 1U : 0U;
    if (task.place == Place::kOffered) {
      GRADMILL_CHECK(nodes.at(task.node).alive);
      GRADMILL_CHECK(nodes.at(task.node).offers.contains(id(job, shard)));
    }
  }
  GRADMILL_CHECK(queued == 0);
}

}  // namespace gradmill::coordinator
