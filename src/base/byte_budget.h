// A bound on bytes that many share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace gradmill {

/// Counts bytes that are in use together. Thread-safe.
class ByteBudget {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ByteBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes `bytes` as soon as there are so many; false if there are not before `deadline`, or after
  /// close().
  [[nodiscard]] bool take(std::uint64_t bytes, Clock::time_point deadline);
  void give_back(std::uint64_t bytes) noexcept;
  /// Ends all waits, also those to come.
  void close() noexcept;
  [[nodiscard]] std::uint64_t taken() const;

 private:
  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_ = 0;
  bool closed_ = false;
};

/// What one user holds of a budget; goes back with it. Without a budget there is no bound. For one
/// thread.
class ByteShare {
 public:
  explicit ByteShare(std::shared_ptr<ByteBudget> budget) : budget_(std::move(budget)) {}
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;
  ~ByteShare() { give_back(); }

  /// Takes more, see ByteBudget::take.
  [[nodiscard]] bool take(std::uint64_t bytes, ByteBudget::Clock::time_point deadline);
  void give_back() noexcept;

 private:
  std::shared_ptr<ByteBudget> budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace gradmill
