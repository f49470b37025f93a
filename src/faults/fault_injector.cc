#include "faults/fault_injector.h"

#include <signal.h>

#include <utility>

#include "base/event_log.h"
#include "base/keyed_draw.h"

namespace gradmill::faults {

void kill_this_process() { static_cast<void>(::raise(SIGKILL)); }

FaultInjector::FaultInjector(std::uint64_t seed, std::string address, std::function<void()> crash)
    : seed_(seed), address_(std::move(address)), crash_(std::move(crash)) {}

FaultState FaultInjector::set(const FaultSettings& faults) {
  check_faults(faults);
  log_event({.level = LogLevel::kWarning,
             .event = "faults_set",
             .fields = {{"drop_requests", faults.drop_requests},
                        {"drop_replies", faults.drop_replies},
                        {"delay_ms", faults.delay.count()},
                        {"corrupt", faults.corrupt},
                        {"slow", faults.slow},
                        {"crash_after", faults.crash_after}},
             .message = "a client chose the faults to inject"});
  const std::lock_guard lock(mutex_);
  state_.faults = faults;
  drawn_ = {};
  begun_ = 0;
  return state_;
}

FaultState FaultInjector::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool FaultInjector::admit_call() {
  std::unique_lock lock(mutex_);
  if (strikes(state_.faults.drop_requests, Stream::kRequest)) {
    ++state_.injected.drop_requests;
    return false;
  }
  if (state_.faults.delay.count() > 0) {
    ++state_.injected.delay;
    stopped_.wait_for(lock, state_.faults.delay, [this] { return stopping_; });
  }
  return true;
}

bool FaultInjector::answer_call() {
  const std::lock_guard lock(mutex_);
  const bool dropped = strikes(state_.faults.drop_replies, Stream::kReply);
  state_.injected.drop_replies += dropped ? 1 : 0;
  return !dropped;
}

void FaultInjector::begin_task() {
  bool is_time = false;
  {
    const std::lock_guard lock(mutex_);
    is_time = ++begun_ == state_.faults.crash_after;
  }
  if (is_time) {
    crash_();
  }
}

std::chrono::nanoseconds FaultInjector::hold_back(std::chrono::nanoseconds compute) {
  const std::lock_guard lock(mutex_);
  if (state_.faults.slow <= 1) {
    return std::chrono::nanoseconds(0);
  }
  ++state_.injected.slow;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(compute * (state_.faults.slow - 1));
}

std::optional<Corruption> FaultInjector::spoil_result() {
  const std::lock_guard lock(mutex_);
  if (!strikes(state_.faults.corrupt, Stream::kResult)) {
    return std::nullopt;
  }
  ++state_.injected.corrupt;
  constexpr std::array<CorruptionKind, 4> kKinds = {CorruptionKind::kFlippedBit,
                                                    CorruptionKind::kNotFinite,
                                                    CorruptionKind::kWrongSize,
                                                    CorruptionKind::kStale};
  const auto kind = static_cast<std::size_t>(draw(Stream::kKind) * kKinds.size());
  return Corruption{kKinds.at(kind), draw(Stream::kPosition)};
}

void FaultInjector::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
}

double FaultInjector::draw(Stream stream) {
  const auto number = static_cast<std::size_t>(stream);
  return keyed_draw("gradmill fault 1\n" + std::to_string(seed_) + '\n' + address_ + '\n' +
                    std::to_string(number) + '\n' + std::to_string(drawn_.at(number)++));
}

bool FaultInjector::strikes(double share, Stream stream) {
  return share > 0 && draw(stream) < share;
}

}  // namespace gradmill::faults
