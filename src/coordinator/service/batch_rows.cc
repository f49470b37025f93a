#include "coordinator/service/batch_rows.h"

#include <cstring>

namespace gradmill::coordinator {

RawRows rows_of(const formats::ShardView& shard, const RowRange& rows) {
  const std::size_t row_bytes = shard.features * (shard.has_floats ? sizeof(float) : 1);
  return {.elements = shard.has_floats ? ElementType::kFloat : ElementType::kByte,
          .rows = rows.count,
          .features = shard.features,
          .values = shard.values.substr(rows.first * row_bytes, rows.count * row_bytes)};
}

std::uint32_t wrong_of(const formats::ShardView& shard,
                       const RowRange& rows,
                       std::string_view predictions) {
  constexpr std::size_t kBytes = sizeof(std::uint16_t);
  const std::string_view labels = shard.labels.substr(rows.first * kBytes, rows.count * kBytes);
  std::uint32_t wrong = 0;
  for (std::size_t at = 0; at < labels.size(); at += kBytes) {
    wrong += std::memcmp(labels.data() + at, predictions.data() + at, kBytes) == 0 ? 0U : 1U;
  }
  return wrong;
}

}  // namespace gradmill::coordinator
