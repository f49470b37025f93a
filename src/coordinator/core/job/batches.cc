#include "coordinator/core/job/batches.h"

#include <algorithm>

namespace gradmill::coordinator {

std::vector<Batch> cut_batches(std::span<const std::uint64_t> shard_rows,
                               std::uint64_t first_row,
                               std::uint32_t batch_rows,
                               std::size_t count_max) {
  std::vector<Batch> batches;
  std::uint64_t skipped = 0;
  for (std::uint32_t shard = 0; shard < shard_rows.size(); ++shard) {
    const std::uint64_t rows = shard_rows[shard];
    for (std::uint64_t next = std::min(rows, first_row - skipped); next < rows;
         next += batch_rows) {
      if (batches.size() == count_max) {
        return batches;
      }
      const auto count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(batch_rows, rows - next));
      batches.push_back({shard, {next, count}});
    }
    skipped += std::min(rows, first_row - skipped);
  }
  return batches;
}

}  // namespace gradmill::coordinator
