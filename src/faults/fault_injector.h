// Decides which calls, tasks and results of this process go wrong on purpose.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "faults/corruption.h"
#include "protocol/fault_settings.h"

namespace gradmill::faults {

/// Ends this process at once, as `kill -9` does.
void kill_this_process();

/// The faults of one process, and how often they struck. Nothing goes wrong until set() is called;
/// nothing of it outlives the process. Each draw depends on the seed, the address, what is asked,
/// and how often it was asked since set(). Thread-safe.
class FaultInjector {
 public:
  /// `address` is where the process listens, host:port; `crash` is not to return.
  FaultInjector(std::uint64_t seed,
                std::string address,
                std::function<void()> crash = kill_this_process);

  /// Replaces all faults; draws and the tasks before a crash are counted from here on. Throws
  /// Error(kInvalidInput).
  FaultState set(const FaultSettings& faults);
  [[nodiscard]] FaultState state() const;

  /// A call came: returns after the delay, or with false at once if it is not to be executed.
  [[nodiscard]] bool admit_call();
  /// A call was executed: whether it is to be answered.
  [[nodiscard]] bool answer_call();
  /// A task, or at a coordinator a call, begins. Crashes when it is time.
  void begin_task();
  /// A task has computed for so long: how much longer it is to take.
  [[nodiscard]] std::chrono::nanoseconds hold_back(std::chrono::nanoseconds compute);
  /// A result is sent: how to spoil it, if at all.
  [[nodiscard]] std::optional<Corruption> spoil_result();

  /// Ends all delays, now and for ever.
  void stop();

 private:
  enum class Stream : std::uint8_t { kRequest, kReply, kResult, kKind, kPosition };

  /// The next number of the stream, in [0, 1).
  [[nodiscard]] double draw(Stream stream);
  /// Whether the next draw of the stream says so.
  [[nodiscard]] bool strikes(double share, Stream stream);

  const std::uint64_t seed_;
  const std::string address_;
  const std::function<void()> crash_;

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_, as all below
  FaultState state_;
  std::array<std::uint64_t, 5> drawn_{};  // of each stream, since set()
  std::uint64_t begun_ = 0;               // tasks since set()
};

}  // namespace gradmill::faults
