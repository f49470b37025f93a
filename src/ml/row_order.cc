#include "ml/row_order.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace gradmill::ml {
namespace {

/// SplitMix64 (Steele, Lea and Flood 2014): 64 well-mixed bits from a counter.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t state) : state_(state) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  /// Uniform in [0, bound), by multiplication; the bias is below 2^-32 of a bound of 32 bits.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace

RowOrder::RowOrder(std::uint64_t seed,
                   std::uint32_t shard,
                   std::uint32_t rows,
                   std::uint32_t batch_size,
                   std::uint64_t step)
    : seed_(seed),
      shard_(shard),
      batch_size_(batch_size),
      epoch_(step / steps_per_epoch(rows, batch_size)),
      position_(step % steps_per_epoch(rows, batch_size)),
      order_(rows) {
  shuffle();
}

std::span<const std::uint32_t> RowOrder::next() {
  if (position_ * batch_size_ >= order_.size()) {
    ++epoch_;
    position_ = 0;
    shuffle();
  }
  const std::size_t first = position_ * batch_size_;
  ++position_;
  return std::span(order_).subspan(first,
                                   std::min<std::size_t>(batch_size_, order_.size() - first));
}

/// Fisher and Yates.
void RowOrder::shuffle() {
  // Each word goes through the mixer, so neighbouring keys share nothing.
  std::uint64_t key = SplitMix64(seed_).next();
  key = SplitMix64(key ^ epoch_).next();
  key = SplitMix64(key ^ shard_).next();
  SplitMix64 random(key);
  std::iota(order_.begin(), order_.end(), 0U);
  for (auto left = static_cast<std::uint32_t>(order_.size()); left > 1; --left) {
    std::swap(order_[left - 1], order_[random.below(left)]);
  }
}

}  // namespace gradmill::ml
