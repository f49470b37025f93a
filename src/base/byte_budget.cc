#include "base/byte_budget.h"

#include "base/check.h"

namespace gradmill {

bool ByteBudget::take(std::uint64_t bytes, Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  const auto fits = [&] { return bytes <= bytes_max_ && taken_ <= bytes_max_ - bytes; };
  changed_.wait_until(lock, deadline, [&] { return closed_ || fits(); });
  if (closed_ || !fits()) {
    return false;
  }
  taken_ += bytes;
  return true;
}

void ByteBudget::give_back(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  GRADMILL_CHECK(bytes <= taken_);
  taken_ -= bytes;
  changed_.notify_all();
}

void ByteBudget::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::uint64_t ByteBudget::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

bool ByteShare::take(std::uint64_t bytes, ByteBudget::Clock::time_point deadline) {
  if (budget_ != nullptr && !budget_->take(bytes, deadline)) {
    return false;
  }
  bytes_ += bytes;
  return true;
}

void ByteShare::give_back() noexcept {
  if (budget_ != nullptr && bytes_ > 0) {
    budget_->give_back(bytes_);
  }
  bytes_ = 0;
}

}  // namespace gradmill
