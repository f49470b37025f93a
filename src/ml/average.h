// Averaging: how a round's deltas become the next round's weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ml/training_rule.h"

namespace gradmill::ml {

/// One shard's part of a round.
struct WeightedDelta {
  std::string_view delta;  ///< Little endian, as long as the weights.
  std::uint64_t rows = 0;  ///< The weight of this shard, >= 1.
};

/// weights + (sum over shards of rows * delta) / (sum of rows), summed in the order given, in
/// double, and rounded once to `precision`. All byte strings have the length of `weights`.
[[nodiscard]] std::string apply_average(std::string_view weights,
                                        std::span<const WeightedDelta> deltas,
                                        Precision precision);

/// Whether every element is finite, by the exponent bits.
[[nodiscard]] bool all_finite(std::string_view elements, Precision precision);

}  // namespace gradmill::ml
