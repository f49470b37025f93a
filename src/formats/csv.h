// Rows of numbers from text: CSV without a header, label last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/shard.h"

namespace gradmill::formats {

/// What a CSV file must agree with.
struct CsvExpectation {
  std::optional<std::uint32_t> features;  ///< Columns without the label, if already known.
  std::string features_from;              ///< The file that fixed `features`, for messages.
  std::optional<std::uint32_t> classes;   ///< Labels must be below this, if given.
  std::string classes_from;               ///< What fixed `classes`, for messages: "--classes 26".
};

/// Parses `text` as the content of file `name`. LF and CRLF, a byte-order mark, a missing last
/// newline, blank lines and blanks around numbers are accepted. Features become the nearest floats,
/// or bytes where all of these are integers in 0..255; labels are integers in plain digits. Throws
/// Error(kInvalidInput) starting with "name:line: " for a ragged row, a non-number, nan or inf, a
/// feature no float can hold, more than ml::kUnitsMax features, a label that is negative, no plain
/// integer or too large, and with "name: " for a file without rows.
[[nodiscard]] ml::Shard parse_csv(std::string_view text,
                                  const std::string& name,
                                  const CsvExpectation& expectation);

}  // namespace gradmill::formats
