#include "coordinator/core/round/round.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace gradmill::coordinator {
namespace {

// From a copy that came to nothing to the next one.
constexpr std::chrono::milliseconds kCopyPause{250};

}  // namespace

Round::Round(std::uint32_t number,
             std::size_t shards,
             TimePoint started,
             std::uint64_t offers_before)
    : number_(number), started_(started), idle_since_(started), offers_before_(offers_before) {
  extend(shards, started);
}

const Round::Lease* Round::lease(std::uint32_t shard, std::uint64_t offer) const {
  if (!has(shard)) {
    return nullptr;
  }
  const std::vector<Lease>& leases = task(shard).leases;
  const auto found = std::find_if(
      leases.begin(), leases.end(), [&](const Lease& one) { return one.offer == offer; });
  return found == leases.end() ? nullptr : &*found;
}

void Round::queue(std::uint32_t shard, NodeId node) {
  Task& task = at(shard);
  GRADMILL_CHECK(task.place == Place::kPending);
  task.place = Place::kQueued;
  task.node = node;
  pending_.erase(shard);
  choosy_.erase(shard);
}

void Round::unqueue(std::uint32_t shard) {
  Task& task = at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued);
  task.place = Place::kPending;
  pending_.insert(shard);
  keep_choosy(shard);
}

std::uint64_t Round::offer(std::uint32_t shard, TimePoint now) {
  Task& task = at(shard);
  GRADMILL_CHECK(task.place == Place::kQueued);
  task.place = Place::kOffered;
  out_.insert(shard);
  return add_lease(shard, task.node, now);
}

std::uint64_t Round::copy(std::uint32_t shard, NodeId node, TimePoint now) {
  const Task& task = at(shard);
  GRADMILL_CHECK(task.place == Place::kOffered && task.leases.size() == 1 &&
                 task.leases.front().node != node);
  return add_lease(shard, node, now);
}

std::uint64_t Round::add_lease(std::uint32_t shard, NodeId node, TimePoint now) {
  Task& task = at(shard);
  ++offered_;
  const std::uint64_t number = offers_before_ + ++task.offers;
  forget_single(shard);
  task.leases.push_back({.node = node, .offer = number, .offered_at = now});
  leases_.insert({now, shard, node});
  return number;
}

void Round::take(std::uint32_t shard, std::uint64_t offer) {
  if (lease(shard, offer) == nullptr) {
    return;
  }
  for (Lease& one : at(shard).leases) {
    if (one.offer == offer && !std::exchange(one.taken, true)) {
      ++taken_;
    }
  }
  keep_single(shard);
}

bool Round::accept(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease* const known = lease(shard, offer);
  if (known == nullptr || known->accepted) {
    return false;
  }
  take(shard, offer);
  Task& task = at(shard);
  for (Lease& one : task.leases) {
    if (one.offer == offer) {
      one.accepted = true;
      one.accepted_at = now;
    }
  }
  task.backoffs = 0;
  task.refused_by.clear();
  task.forgiven_at.reset();
  ++accepted_;
  return true;
}

void Round::forget_lease(std::uint32_t shard, const Lease& lease) {
  --offered_;
  leases_.erase({lease.offered_at, shard, lease.node});
  taken_ -= lease.taken ? 1U : 0U;
  accepted_ -= lease.accepted ? 1U : 0U;
}

Round::Lease Round::end_lease(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease* const known = lease(shard, offer);
  GRADMILL_CHECK(known != nullptr);
  const Lease ended = *known;
  Task& task = at(shard);
  forget_single(shard);
  std::erase_if(task.leases, [&](const Lease& one) { return one.offer == offer; });
  keep_single(shard);
  task.node = ended.node;
  forget_lease(shard, ended);
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
  if (is_choosy(at(shard))) {
    choosy_.insert(shard);
  } else {
    choosy_.erase(shard);
  }
}

bool Round::is_alike(const Task& task) {
  return task.refused_by.empty() && task.failed_on.empty() && task.diverged_on.empty() &&
         !task.is_suspect();
}

bool Round::is_choosy(const Task& task) { return task.place == Place::kPending && !is_alike(task); }

void Round::refuse(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  Task& task = at(shard);
  // A node that first accepts and then refuses must not do so for ever.
  task.given_back += ended.accepted ? 1U : 0U;
  if (task.leases.empty()) {
    task.refused_by.insert(ended.node);
    keep_choosy(shard);
  }
}

void Round::fail(std::uint32_t shard, std::uint64_t offer, const std::string& why, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  at(shard).failed_on.push_back(ended.node);
  at(shard).last_failure = why;
  keep_choosy(shard);
}

void Round::diverge(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  idle_since_ = now;  // It was tried, also if the node answered at once.
  at(shard).diverged_on.insert(ended.node);
  keep_choosy(shard);
}

void Round::lose(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  const auto known = in_doubt_.try_emplace({ended.node, shard}, TimePoint::max()).first;
  known->second = std::min(known->second, ended.accepted ? ended.accepted_at : TimePoint::max());
}

void Round::survived(NodeId node) {
  in_doubt_.erase(in_doubt_.lower_bound({node, 0}), in_doubt_.lower_bound({node + 1, 0}));
}

std::vector<std::uint32_t> Round::died(NodeId node, TimePoint until) {
  std::vector<std::uint32_t> shards;
  for (auto next = in_doubt_.lower_bound({node, 0});
       next != in_doubt_.end() && next->first.first == node;
       ++next) {
    const std::uint32_t shard = next->first.second;
    if (shard < first_) {
      continue;
    }
    Task& task = at(shard);
    if (task.place != Place::kDone && task.place != Place::kSkipped) {
      ++task.ended_with;
      keep_choosy(shard);
      shards.push_back(shard);
      if (next->second <= until && next->second != TimePoint::max()) {
        task.died_on.push_back(node);
      }
    }
  }
  survived(node);
  return shards;
}

void Round::give_back(std::uint32_t shard, std::uint64_t offer, TimePoint now) {
  const Lease ended = end_lease(shard, offer, now);
  at(shard).given_back += ended.accepted ? 1U : 0U;
}

void Round::back_off(std::uint32_t shard, TimePoint forgiven_at) {
  Task& task = at(shard);
  GRADMILL_CHECK(task.place == Place::kPending && !task.refused_by.empty());
  task.forgiven_at = forgiven_at;
  ++task.backoffs;
}

void Round::forgive(std::uint32_t shard) {
  Task& task = at(shard);
  task.refused_by.clear();
  task.forgiven_at.reset();
  keep_choosy(shard);
}

void Round::forget_single(std::uint32_t shard) {
  if (!at(shard).leases.empty()) {
    singles_.erase({at(shard).leases.front().offered_at, shard});
  }
}

void Round::keep_single(std::uint32_t shard) {
  const std::vector<Lease>& leases = at(shard).leases;
  if (leases.size() == 1 && leases.front().taken) {
    singles_.emplace(leases.front().offered_at, shard);
  }
}

std::vector<std::uint32_t> Round::shards_done() const {
  std::vector<std::uint32_t> shards;
  for (std::uint32_t shard = first_; shard < size(); ++shard) {
    if (task(shard).place == Place::kDone) {
      shards.push_back(shard);
    }
  }
  return shards;
}

std::vector<std::uint32_t> Round::shards_missing() const {
  std::vector<std::uint32_t> shards;
  for (std::uint32_t shard = first_; skipped_ > 0 && shard < size(); ++shard) {
    if (task(shard).place == Place::kSkipped) {
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
    const Task& task = this->task(shard);
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
  if (has(shard) && this->task(shard).place == Place::kDone) {
    const bool same = *this->task(shard).result.delta.bytes == *result.delta.bytes;
    return same ? Verdict::kDuplicate : Verdict::kConflict;
  }
  const Lease* const known = lease(shard, offer);
  if (known == nullptr) {
    return Verdict::kStale;
  }
  using Seconds = std::chrono::duration<double>;
  Task& task = at(shard);
  const double taken = Seconds(now - known->offered_at).count();
  task.node = known->node;
  task.wait_seconds = Seconds(known->offered_at - task.added_at).count() + result.delay_seconds;
  task.transfer_seconds = std::max(0.0, taken - result.compute_seconds - result.delay_seconds);
  task.result = std::move(result);
  seconds_.add(taken);
  forget_single(shard);
  for (const Lease& one : task.leases) {
    forget_lease(shard, one);
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

void Round::extend(std::size_t shards, TimePoint now) {
  if (complete()) {
    idle_since_ = now;
  }
  for (std::size_t added = 0; added < shards; ++added) {
    pending_.insert(pending_.end(), size());
    tasks_.emplace_back().added_at = now;
  }
  seconds_.forget_all_but_the_median();
}

void Round::forget_before(std::uint32_t shard) {
  for (; first_ < shard; ++first_) {
    GRADMILL_CHECK(tasks_.front().place == Place::kDone);
    tasks_.pop_front();
  }
}

void Round::cut_untouched() {
  const auto untouched = [](const Task& task) {
    return task.offers == 0 && task.place == Place::kPending;
  };
  while (!tasks_.empty() && untouched(tasks_.back())) {
    tasks_.pop_back();
    pending_.erase(size());
  }
}

std::vector<std::pair<std::uint32_t, Round::Lease>> Round::skip_rest() {
  std::vector<std::pair<std::uint32_t, Lease>> ended;
  for (std::uint32_t shard = first_; shard < size(); ++shard) {
    Task& task = at(shard);
    if (task.place == Place::kDone || task.place == Place::kSkipped) {
      continue;
    }
    for (const Lease& one : task.leases) {
      forget_lease(shard, one);
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

}  // namespace gradmill::coordinator
