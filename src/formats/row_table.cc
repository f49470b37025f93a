#include "formats/row_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "formats/number_field.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

class RowParser {
 public:
  RowParser(const std::string& name, const RowExpectation& expectation)
      : name_(name), expectation_(expectation) {}

  RowTable parse(std::string_view text) {
    LineReader lines(text);
    while (const auto line = lines.next()) {
      if (!trimmed(*line).empty()) {
        line_number_ = lines.number();
        add_row(*line);
      }
    }
    if (table_.rows == 0) {
      throw invalid_input(name_ + ": has no rows");
    }
    if (is_wide_) {
      table_.values = std::move(floats_);
    } else {
      table_.values = std::vector<std::uint8_t>(floats_.begin(), floats_.end());
    }
    return std::move(table_);
  }

 private:
  [[nodiscard]] Error error(const std::string& what) const {
    return invalid_input(name_ + ":" + std::to_string(line_number_) + ": " + what);
  }

  void check_columns(std::string_view line) const {
    const auto columns = static_cast<std::uint64_t>(std::count(line.begin(), line.end(), ',')) + 1;
    const std::uint64_t wanted =
        std::uint64_t{expectation_.features} + (expectation_.labelled ? 1 : 0);
    if (columns == wanted) {
      return;
    }
    std::string what = "has " + std::to_string(columns) +
                       (columns == 1 ? " column; " : " columns; ") + expectation_.features_from +
                       " takes " + std::to_string(expectation_.features) + " features";
    if (expectation_.labelled) {
      what += ", and a label is to follow";
    } else if (columns == wanted + 1) {
      what += "; if the last column is a label, remove it or give --labelled";
    }
    throw error(what);
  }

  void add_row(std::string_view line) {
    check_columns(line);
    if (table_.rows == std::numeric_limits<std::uint32_t>::max()) {
      throw error("is one row too many; split the file");
    }
    for (std::size_t column = 0; column < expectation_.features; ++column) {
      const std::size_t comma = line.find(',');
      const std::string_view field = trimmed(line.substr(0, comma));
      float value = 0;
      const NumberFault fault = parse_number(field, value);
      if (fault != NumberFault::kNone) {
        throw error(fault_text(fault, field, column));
      }
      is_wide_ = is_wide_ || value < 0 || value > 255 || value != std::floor(value);
      floats_.push_back(value + 0.0F);  // Makes -0 a 0, as training data has it.
      line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
    }
    if (expectation_.labelled) {
      table_.labels.emplace_back(trimmed(line));
    }
    ++table_.rows;
  }

  const std::string& name_;
  const RowExpectation& expectation_;
  std::uint64_t line_number_ = 0;
  bool is_wide_ = false;
  std::vector<float> floats_;
  RowTable table_;
};

}  // namespace

RowTable parse_rows(std::string_view text,
                    const std::string& name,
                    const RowExpectation& expectation) {
  return RowParser(name, expectation).parse(text);
}

}  // namespace gradmill::formats
