// The rows of a prediction task.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinator/core/task.h"
#include "formats/shard_blob.h"
#include "protocol/prediction.h"

namespace gradmill::coordinator {

/// These rows of the shard, which has them; a view of it.
[[nodiscard]] RawRows rows_of(const formats::ShardView& shard, const RowRange& rows);

/// How many of these rows have another label than their prediction; `predictions` are as in
/// PredictedRange.
[[nodiscard]] std::uint32_t wrong_of(const formats::ShardView& shard,
                                     const RowRange& rows,
                                     std::string_view predictions);

}  // namespace gradmill::coordinator
