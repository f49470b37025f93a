// A short time of looking before a thread sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace gradmill::rpc {

/// Looks for something again and again for a short time, so that what comes at once costs no
/// wake-up. Threads that share one take turns: while one looks the others do without, so that they
/// keep one processor busy at most, and that one they yield to whoever wants it. Where nothing was
/// found in time again and again, it is seldom tried. Thread-safe.
class Spin {
 public:
  explicit Spin(std::chrono::nanoseconds limit) : limit_(limit) {}

  /// Whether `is_there()` held within the limit. False says nothing: it may not have been asked.
  template <class F>
  [[nodiscard]] bool finds(const F& is_there) noexcept {
    if (!pays() || taken_.test_and_set(std::memory_order_acquire)) {
      return false;
    }
    const auto end = std::chrono::steady_clock::now() + limit_;
    bool found = is_there();
    while (!found && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
      found = is_there();
    }
    misses_.store(found ? 0 : misses_.load(std::memory_order_relaxed) + 1,
                  std::memory_order_relaxed);
    taken_.clear(std::memory_order_release);
    return found;
  }

 private:
  static constexpr std::uint64_t kMissesMax = 16;  // in a row, until it is tried but
  static constexpr std::uint64_t kSeldom = 64;     // every so manyth time

  bool pays() noexcept {
    return misses_.load(std::memory_order_relaxed) < kMissesMax ||
           skipped_.fetch_add(1, std::memory_order_relaxed) % kSeldom == kSeldom - 1;
  }

  const std::chrono::nanoseconds limit_;
  std::atomic_flag taken_;
  std::atomic<std::uint64_t> misses_ = 0;  // in a row; written by whoever holds taken_
  std::atomic<std::uint64_t> skipped_ = 0;
};

}  // namespace gradmill::rpc
