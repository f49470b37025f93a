#include "simulation/writer.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPause = 20ms;

}  // namespace

void Writer::add(coordinator::Save save) {
  waiting_.push_back(std::move(save));
  if (!crashes(CrashPoint::kRecordHandedOver)) {
    arrange();
  }
}

bool Writer::is_urgent() const {
  return !std::all_of(waiting_.begin(), waiting_.end(), [](const coordinator::Save& save) {
    return std::holds_alternative<coordinator::RoundFinished>(save.record);
  });
}

void Writer::arrange() {
  if (batch_ > 0 || waiting_.empty()) {
    return;
  }
  const TimePoint now = around_.queue.now();
  const Duration wait = is_urgent() ? Duration{} : std::max(may_begin_at_ - now, Duration{});
  life_.after(wait, [this, turn = ++turn_] {
    if (turn == turn_ && batch_ == 0) {
      begin();
    }
  });
}

bool Writer::crashes(CrashPoint point) {
  if (!around_.faults.strikes(point)) {
    return false;
  }
  around_.log([&] {
    return "the coordinator crashes: " +
           std::string(kCrashPointNames[static_cast<std::size_t>(point)]);
  });
  hooks_.crash();
  return true;
}

void Writer::begin() {
  batch_ = waiting_.size();
  if (crashes(CrashPoint::kBeforeFiles)) {
    return;
  }
  Duration needs = around_.dice.between(Duration{500us}, Duration{4ms});
  if (around_.faults.strikes(Fault::kDiskStall)) {
    needs += around_.dice.between(Duration{50ms}, Duration{1500ms});
  }
  life_.after(needs, [this] { write_files(); });
}

void Writer::write_files() {
  if (crashes(CrashPoint::kAfterFiles)) {
    return;
  }
  if (around_.faults.strikes(Fault::kDiskError)) {
    // What is durable by then may come again.
    apply(around_.dice.below(batch_ + 1));
    life_.after(around_.dice.between(Duration{50ms}, Duration{500ms}), [this] { begin(); });
    return;
  }
  life_.after(around_.dice.between(Duration{500us}, Duration{8ms}), [this] { commit(); });
}

void Writer::commit() {
  if (around_.faults.strikes(CrashPoint::kMidBatch)) {
    const std::size_t prefix = around_.dice.below(batch_);
    around_.log([&] {
      return "the coordinator crashes: " + std::to_string(prefix) + " of " +
             std::to_string(batch_) + " records are durable";
    });
    apply(prefix);
    hooks_.crash();
    return;
  }
  apply(batch_);
  if (!crashes(CrashPoint::kAfterCommit)) {
    life_.after(around_.dice.between(Duration{}, Duration{2ms}), [this] { end(); });
  }
}

void Writer::apply(std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) {
    disk_.apply(waiting_[n]);
  }
}

void Writer::end() {
  const std::uint64_t ticket = waiting_[batch_ - 1].ticket;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(batch_));
  batch_ = 0;
  may_begin_at_ = around_.queue.now() + kPause;
  hooks_.saved(ticket);
  if (crashes(CrashPoint::kAfterSaved)) {
    return;
  }
  arrange();
  if (waiting_.empty()) {
    life_.after(around_.dice.between(Duration{}, kPause), [this] {
      if (batch_ == 0 && waiting_.empty()) {
        crashes(CrashPoint::kBetweenBatches);
      }
    });
  }
}

}  // namespace gradmill::simulation
