// Which connection of a server its peer keeps waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

namespace gradmill::rpc {

/// Since when a connection waits for bytes of its peer: from a call to the next one, or for a
/// message that comes too slowly. Such a connection may be given up in favour of a new one.
/// Thread-safe.
class Idleness {
 public:
  using Clock = std::chrono::steady_clock;

  /// Waits from now on.
  Idleness() { begin(Clock::now()); }
  /// Waits from `since` on, which may lie ahead: until then it cannot be given up.
  void begin(Clock::time_point since) noexcept {
    Clock::rep before = since_;
    while (before != kGivenUp && !since_.compare_exchange_weak(before, count(since))) {
    }
  }
  /// The message is there. False if the connection was given up.
  [[nodiscard]] bool end() noexcept {
    begin(Clock::time_point::max());
    return since_ != kGivenUp;
  }

  /// Since when; nothing while it has to be left alone.
  [[nodiscard]] std::optional<Clock::time_point> since() const noexcept {
    const Clock::rep since = since_;
    return since == kGivenUp || since > count(Clock::now())
               ? std::nullopt
               : std::optional(Clock::time_point(Clock::duration(since)));
  }
  /// Gives the connection up, unless it no longer waits since `since`.
  [[nodiscard]] bool give_up(Clock::time_point since) noexcept {
    Clock::rep expected = count(since);
    return since_.compare_exchange_strong(expected, kGivenUp);
  }

 private:
  static constexpr Clock::rep kGivenUp = Clock::duration::min().count();
  static Clock::rep count(Clock::time_point time) noexcept {
    return time.time_since_epoch().count();
  }
  std::atomic<Clock::rep> since_ = 0;
};

}  // namespace gradmill::rpc
