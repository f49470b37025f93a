// How the rows of a prediction job are cut into tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// A task of a prediction job.
struct Batch {
  std::uint32_t shard = 0;
  RowRange rows;

  friend bool operator==(const Batch&, const Batch&) = default;
};

/// The rows from `first_row` of the whole job on, in order, in at most `count_max` batches of up to
/// `batch_rows` >= 1. None crosses the end of a shard; `shard_rows` has the sizes of these.
[[nodiscard]] std::vector<Batch> cut_batches(std::span<const std::uint64_t> shard_rows,
                                             std::uint64_t first_row,
                                             std::uint32_t batch_rows,
                                             std::size_t count_max);

}  // namespace gradmill::coordinator
