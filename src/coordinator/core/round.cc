#include "coordinator/core/round.h"

#include <algorithm>
#include <chrono>
#include <cmath>
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
// A task is copied once this share of the shards is done, and it takes so many times their median.
constexpr double kCopyShare = 0.75;
constexpr double kCopyFactor = 2;
constexpr std::chrono::seconds kCopyAfter{1};
// From a copy that came to nothing to the next one.
constexpr std::chrono::milliseconds kCopyPause{250};

}  // namespace

Round::Round(std::uint32_t number,
             std::size_t shards,
             TimePoint started,
             std::uint64_t offers_before)
    : number_(number),
      started_(started),
      idle_since_(started),
      offers_before_(offers_before),
      tasks_(shards) {
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    pending_.insert(pending_.end(), shard);
  }
}

const Round::Lease* Round::lease(std::uint32_t shard, std::uint64_t offer) const {
  if (shard >= tasks_.size()) {
    return nullptr;
  }
  const std::vector<Lease>& leases = tasks_[shard].leases;
  const auto found = std::find_if(
      leases.begin(), leases.end(), [&](const Lease& one) { return one.offer == offer; });
  return found == leases.end() ? nullptr : &*found;
}

void Round::queue(std::uint32_t shard, NodeId node) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kPending);
  task.place = Place::kQueued;
  task.node = node;
  pending_.erase(shard);
  choosy_.erase(shard);
}

void Round::unqueue(std::uint32_t shard) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued);
  task.place = Place::kPending;
  pending_.insert(shard);
  keep_choosy(shard);
}

std::uint64_t Round::offer(std::uint32_t shard, TimePoint now) {
  Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued);
  task.place = Place::kOffered;
  out_.insert(shard);
  return add_lease(shard, task.node, now);
}

std::uint64_t Round::copy(std::uint32_t shard, NodeId node, TimePoint now) {
  const Task& task = tasks_.at(shard);
  GRADMILL_CHECK(task.place == Place::kOffered && task.leases.size() == 1 &&
                 task.leases.front().node != node);
  return add_lease(shard, node, now);
}

std::uint64_t Round::add_lease(std::uint32_t shard, NodeId node, TimePoint now) {
  Task& task = tasks_[shard];
  ++offered_;
  const std::uint64_t number = offers_before_ + ++task.offers;
  forget_single(shard);
  task.leases.push_back({.node = node, .offer = number, .offered_at = now});
  return number;
}

void Round::take(std::uint32_t shard, std::uint64_t offer) {
  if (lease(shard, offer) == nullptr) {
    return;
  }
  for (Lease& one : tasks_[shard].leases) {
    if (one.offer == offer && !std::exchange(one.taken, true)) {
      ++taken_;
    }
  }
  keep_single(shard);
}

bool Round::accept(std::uint32_t shard, std::uint64_t offer) {
  const Lease* const known = lease(shard, offer);
  if (known == nullptr || known->accepted) {
    return false;
  }
  take(shard, offer);
  Task& task = tasks_[shard];
  for (Lease& one : task.leases) {
    one.accepted = one.accepted || one.offer == offer;
  }
  task.backoffs = 0;
  task.refused_by.clear();
  task.forgiven_at.reset();
  ++accepted_;
  return true;
}

void Round::forget_lease(const Lease& lease) {
  --offered_;
  taken_ -= lease.taken ? 1U : 0U;
  accepted_ -= lease.accepted ? 1U : 0U;
}

Round::Lease Round::end_lease(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease* const known = lease(shard, offer);
  GRADMILL_CHECK(known != nullptr);
  const Lease ended = *known;
  Task& task = tasks_[shard];
  forget_single(shard);
  std::erase_if(task.leases, [&](const Lease& one) { return one.offer == offer; });
  keep_single(shard);
  task.node = ended.node;
  forget_lease(ended);
  if (ended.taken) {
    idle_since_ = now;
  }
  if (task.leases.empty()) {
    task.place = Place::kPending;
    out_.erase(shard);
    pending_.insert(shard);
    keep_choosy(shard);
  } else {
    task.copy_from = now + kCopyPause;
  }
  return ended;
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

void Round::refuse(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  Task& task = tasks_[shard];
  // A node that first accepts and then refuses must not do so for ever.
  task.given_back += ended.accepted ? 1U : 0U;
  if (task.leases.empty()) {
    task.refused_by.insert(ended.node);
    keep_choosy(shard);
  }
}

void Round::fail(std::uint32_t shard, std::uint64_t offer, const std::string& why, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  tasks_[shard].failed_on.push_back(ended.node);
  tasks_[shard].last_failure = why;
  keep_choosy(shard);
}

void Round::diverge(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  idle_since_ = now;  // It was tried, also if the node answered at once.
  tasks_[shard].diverged_on.insert(ended.node);
  keep_choosy(shard);
}

void Round::lose(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  if (ended.accepted) {
    tasks_[shard].died_on.push_back(ended.node);
  }
}

void Round::give_back(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  tasks_[shard].given_back += ended.accepted ? 1U : 0U;
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

std::optional<Duration> Round::allowed() const {
  const double share = static_cast<double>(done_) / static_cast<double>(tasks_.size());
  if (share < kCopyShare) {
    return std::nullopt;
  }
  const std::chrono::duration<double> late(kCopyFactor * seconds_.value());
  return std::max<Duration>(kCopyAfter, std::chrono::ceil<Duration>(late));
}

std::vector<std::uint32_t> Round::late(TimePoint now) const {
  std::vector<std::uint32_t> shards;
  const std::optional<Duration> wait = allowed();
  for (auto next = singles_.begin(); wait && next != singles_.end() && next->first + *wait <= now;
       ++next) {
    if (tasks_[next->second].copy_from <= now) {
      shards.push_back(next->second);
    }
  }
  return shards;
}

std::optional<TimePoint> Round::next_late() const {
  std::optional<TimePoint> earliest;
  const std::optional<Duration> wait = allowed();
  for (auto next = singles_.begin();
       wait && next != singles_.end() && (!earliest || next->first + *wait < *earliest);
       ++next) {
    const TimePoint due = std::max(tasks_[next->second].copy_from, next->first + *wait);
    earliest = earliest ? std::min(*earliest, due) : due;
  }
  return earliest;
}

void Round::forget_single(std::uint32_t shard) {
  if (!tasks_[shard].leases.empty()) {
    singles_.erase({tasks_[shard].leases.front().offered_at, shard});
  }
}

void Round::keep_single(std::uint32_t shard) {
  const std::vector<Lease>& leases = tasks_[shard].leases;
  if (leases.size() == 1 && leases.front().taken) {
    singles_.emplace(leases.front().offered_at, shard);
  }
}

std::vector<std::uint32_t> Round::shards_done() const {
  std::vector<std::uint32_t> shards;
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    if (tasks_[shard].place == Place::kDone) {
      shards.push_back(shard);
    }
  }
  return shards;
}

std::vector<std::uint32_t> Round::shards_missing() const {
  std::vector<std::uint32_t> shards;
  for (std::uint32_t shard = 0; skipped_ > 0 && shard < tasks_.size(); ++shard) {
    if (tasks_[shard].place == Place::kSkipped) {
      shards.push_back(shard);
    }
  }
  return shards;
}

RoundReport Round::report(const NodeRegistry& nodes, TimePoint now) const {
  RoundReport report;
  report.round = number_;
  report.seconds = std::chrono::duration<double>(now - started_).count();
  report.missing = shards_missing();
  report.tasks.reserve(done_);
  for (const std::uint32_t shard : shards_done()) {
    const Task& task = tasks_[shard];
    report.tasks.push_back({.shard = shard,
                            .node = nodes.at(task.node).address.text(),
                            .transfer = task.transfer_seconds,
                            .compute = task.result.compute_seconds,
                            .wait = task.wait_seconds,
                            .epochs = task.result.epochs,
                            .loss = task.result.loss,
                            .offers = task.offers});
  }
  return report;
}

Verdict Round::complete(std::uint32_t shard,
                        std::uint64_t offer,
                        TaskResult result,
                        TimePoint now,
                        std::vector<Lease>& superseded) {
  if (shard < tasks_.size() && tasks_[shard].place == Place::kDone) {
    const bool same = *tasks_[shard].result.delta.bytes == *result.delta.bytes;
    return same ? Verdict::kDuplicate : Verdict::kConflict;
  }
  const Lease* const known = lease(shard, offer);
  if (known == nullptr) {
    return Verdict::kStale;
  }
  using Seconds = std::chrono::duration<double>;
  Task& task = tasks_[shard];
  const double taken = Seconds(now - known->offered_at).count();
  task.node = known->node;
  task.wait_seconds = Seconds(known->offered_at - started_).count() + result.delay_seconds;
  task.transfer_seconds = std::max(0.0, taken - result.compute_seconds - result.delay_seconds);
  task.result = std::move(result);
  seconds_.add(taken);
  forget_single(shard);
  for (const Lease& one : task.leases) {
    forget_lease(one);
    if (one.offer != offer) {
      superseded.push_back(one);
    }
  }
  task.leases.clear();
  idle_since_ = now;  // Whoever answered at once never said that it had begun.
  task.place = Place::kDone;
  out_.erase(shard);
  ++done_;
  return Verdict::kCounted;
}

std::vector<std::pair<std::uint32_t, Round::Lease>> Round::skip_rest() {
  std::vector<std::pair<std::uint32_t, Lease>> ended;
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    Task& task = tasks_[shard];
    if (task.place == Place::kDone || task.place == Place::kSkipped) {
      continue;
    }
    for (const Lease& one : task.leases) {
      forget_lease(one);
      ended.emplace_back(shard, one);
    }
    task.leases.clear();
    task.place = Place::kSkipped;
    ++skipped_;
  }
  pending_.clear();
  choosy_.clear();
  out_.clear();
  singles_.clear();
  return ended;
}

void Round::check_invariants() const {
  std::size_t done = 0;
  std::size_t skipped = 0;
  std::size_t offered = 0;
  std::size_t taken = 0;
  std::size_t accepted = 0;
  std::size_t waiting = 0;
  std::size_t choosy = 0;
  std::size_t singles = 0;
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    const Task& task = tasks_[shard];
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
  GRADMILL_CHECK(offered == offered_ && taken == taken_ && accepted == accepted_);
  GRADMILL_CHECK(choosy == choosy_.size() && singles == singles_.size());
}

void Round::check_invariants(const std::string& job, const NodeRegistry& nodes) const {
  std::size_t queued = 0;
  for (NodeId node = 0; node < nodes.size(); ++node) {
    const std::deque<std::uint32_t>& queue = nodes.at(node).queue;
    GRADMILL_CHECK(nodes.at(node).reachable() || queue.empty());
    queued += queue.size();
    for (const std::uint32_t shard : queue) {
      GRADMILL_CHECK(tasks_.at(shard).place == Place::kQueued && tasks_[shard].node == node);
    }
  }
  for (std::uint32_t shard = 0; shard < tasks_.size(); ++shard) {
    queued -= tasks_[shard].place == Place::kQueued ? 1U : 0U;
    for (const Lease& one : tasks_[shard].leases) {
      GRADMILL_CHECK(nodes.at(one.node).may_hold_leases());
      GRADMILL_CHECK(nodes.at(one.node).offers.contains(id(job, shard, one.offer)));
    }
  }
  GRADMILL_CHECK(queued == 0);
}

}  // namespace gradmill::coordinator
