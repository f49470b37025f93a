// Time as retries need it.
#pragma once

#include <chrono>
#include <memory>

namespace gradmill::client {

/// A clock, and pauses that end when the user has had enough. For one thread, except interrupt().
class RetryTimer {
 public:
  virtual ~RetryTimer() = default;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() = 0;
  /// Sleeps for `duration`. False, at once, when interrupted.
  [[nodiscard]] virtual bool pause(std::chrono::milliseconds duration) = 0;
  /// Ends this pause and all later ones. From any thread.
  virtual void interrupt() = 0;
};

/// The system's steady clock.
[[nodiscard]] std::unique_ptr<RetryTimer> make_retry_timer();

}  // namespace gradmill::client
