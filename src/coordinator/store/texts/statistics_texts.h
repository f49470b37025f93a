// The JSON of statistics, as in stored_texts.h.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// A part of the text of a job's progress. Rates over the last seconds are not stored.
[[nodiscard]] nlohmann::json json_of(const QueryStatistics& statistics);
/// Throws Damage, or what the library throws.
[[nodiscard]] QueryStatistics statistics_of(const nlohmann::json& object);

}  // namespace gradmill::coordinator
