// The JSON texts of prediction jobs, as in stored_texts.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "coordinator/core/record.h"
#include "protocol/job_specification.h"

namespace gradmill::coordinator {

/// The row after the last one of the range.
[[nodiscard]] inline std::uint64_t end_of(const PredictedRange& range) {
  return range.first_row + range.rows;
}

/// A part of the specification's text.
[[nodiscard]] nlohmann::json json_of(const PredictionPlan& plan);
/// Throws as the readers below do, or what the library throws.
[[nodiscard]] PredictionPlan plan_of(const nlohmann::json& object);

// Pure ASCII. The readers throw Damage.
/// Predictions are named, without their bytes; named as an empty blob they are lost.
[[nodiscard]] std::string text_of(const PredictedRange& range);
[[nodiscard]] PredictedRange range_of(std::string_view text);

}  // namespace gradmill::coordinator
