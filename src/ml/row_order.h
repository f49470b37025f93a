// The order in which a task takes the rows of its shard.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradmill::ml {

/// Walks through a shard in batches, each epoch in an order of its own: a permutation of (seed,
/// epoch, shard), whoever asks and whenever. The last batch of an epoch has what is left.
class RowOrder {
 public:
  /// Starts at the job's global step `step`, from 0. rows >= 1, batch_size >= 1.
  RowOrder(std::uint64_t seed,
           std::uint32_t shard,
           std::uint32_t rows,
           std::uint32_t batch_size,
           std::uint64_t step);

  /// The rows of the next batch; valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> next();

  [[nodiscard]] static std::uint64_t steps_per_epoch(std::uint32_t rows, std::uint32_t batch_size) {
    return (std::uint64_t{rows} + batch_size - 1) / batch_size;
  }

 private:
  void shuffle();

  std::uint64_t seed_;
  std::uint32_t shard_;
  std::uint32_t batch_size_;
  std::uint64_t epoch_;
  std::uint64_t position_;  // of the next batch in its epoch
  std::vector<std::uint32_t> order_;
};

}  // namespace gradmill::ml
