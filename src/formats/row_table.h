// Rows of features from text: CSV without a header, and without labels unless they are asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gradmill::formats {

/// What rows must agree with.
struct RowExpectation {
  std::uint32_t features = 0;
  std::string features_from;  ///< What takes so many, for messages: "model letters@3".
  bool labelled = false;      ///< Behind the features there is one more column.
};

/// Rows of a file, row-major: bytes where all features are integers in 0..255, else floats.
struct RowTable {
  std::uint32_t rows = 0;
  std::variant<std::vector<std::uint8_t>, std::vector<float>> values;
  std::vector<std::string> labels;  ///< One a row, if labelled, as they are in the text.
};

/// Parses `text` as the content of `name`, as parse_csv() does. Throws Error(kInvalidInput)
/// starting with "name:line: " for a row of another width, a non-number, nan or inf, a feature that
/// no float can hold, and with "name: " for a text without rows.
[[nodiscard]] RowTable parse_rows(std::string_view text,
                                  const std::string& name,
                                  const RowExpectation& expectation);

}  // namespace gradmill::formats
