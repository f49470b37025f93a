// Rows of a data set: what a CSV file holds and what a shard blob carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace gradmill::ml {

/// A shard in memory. Features are row-major [rows, features], as bytes where all of them are
/// integers in 0..255, else as float; one label a row, each below `classes`.
struct Shard {
  std::uint32_t rows = 0;
  std::uint32_t features = 0;
  std::uint32_t classes = 0;  ///< Largest label of this shard + 1.
  std::variant<std::vector<std::uint8_t>, std::vector<float>> values;
  std::vector<std::uint16_t> labels;

  /// Feature `column` of row `row`, whatever the element type.
  [[nodiscard]] float value(std::size_t row, std::size_t column) const {
    const std::size_t index = row * features + column;
    if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&values)) {
      return static_cast<float>((*bytes)[index]);
    }
    return std::get<std::vector<float>>(values)[index];
  }
};

}  // namespace gradmill::ml
