#include "formats/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <system_error>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/number.h"
#include "formats/number_field.h"
#include "formats/shard_blob.h"
#include "formats/text.h"
#include "ml/topology.h"

namespace gradmill::formats {
namespace {

constexpr std::uint64_t kColumnsMax = std::uint64_t{ml::kUnitsMax} + 1;
constexpr std::uint32_t kLabelMax = kClassesMax - 1;
// So many digits are exact in a float and in 32 bits.
constexpr int kShortDigits = 7;

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

std::uint64_t count_columns(std::string_view line) {
  return static_cast<std::uint64_t>(std::count(line.begin(), line.end(), ',')) + 1;
}

std::string columns_text(std::uint64_t columns) {
  return std::to_string(columns) + (columns == 1 ? " column" : " columns");
}

/// Reads a short run of digits, with blanks around it, up to the next comma: what most columns of
/// most files are. Leaves `at` at the comma, or where it was if there is anything else.
bool read_short_integer(const char*& at, const char* end, std::uint32_t& value) {
  const char* scan = at;
  while (scan != end && is_blank(*scan)) {
    ++scan;
  }
  const char* const digits = scan;
  std::uint32_t sum = 0;
  while (scan != end && is_digit(*scan) && scan - digits < kShortDigits) {
    sum = sum * 10 + static_cast<std::uint32_t>(*scan - '0');
    ++scan;
  }
  if (scan == digits) {
    return false;
  }
  while (scan != end && is_blank(*scan)) {
    ++scan;
  }
  if (scan == end || *scan != ',') {
    return false;
  }
  value = sum;
  at = scan;
  return true;
}

/// The parse of one file. Features are bytes until the first that does not fit.
class CsvParser {
 public:
  CsvParser(const std::string& name, const CsvExpectation& expectation)
      : name_(name), expectation_(expectation) {}

  ml::Shard parse(std::string_view text) {
    LineReader lines(text);
    while (const auto line = lines.next()) {
      if (trimmed(*line).empty()) {
        continue;
      }
      line_number_ = lines.number();
      if (labels_.empty()) {
        start(*line, text);
      }
      add_row(*line);
    }
    if (labels_.empty()) {
      throw invalid_input(name_ + ": has no rows");
    }
    ml::Shard shard;
    shard.rows = static_cast<std::uint32_t>(labels_.size());
    shard.features = static_cast<std::uint32_t>(features_);
    shard.classes = largest_label_ + 1;
    if (wide_) {
      shard.values = std::move(floats_);
    } else {
      shard.values = std::move(bytes_);
    }
    shard.labels = std::move(labels_);
    return shard;
  }

 private:
  [[nodiscard]] Error error(const std::string& what) const {
    return invalid_input(name_ + ":" + std::to_string(line_number_) + ": " + what);
  }

  /// Fixes the number of columns by the first row.
  void start(std::string_view line, std::string_view text) {
    first_line_number_ = line_number_;
    const std::uint64_t columns = count_columns(line);
    if (expectation_.features) {
      features_ = *expectation_.features;
      check_columns(line);
    }
    if (columns < 2) {
      throw error("has 1 column; features and then a label are expected, separated by commas");
    }
    if (columns > kColumnsMax) {
      throw error("has " + columns_text(columns) + "; at most " + std::to_string(kColumnsMax) +
                  " are allowed");
    }
    features_ = static_cast<std::size_t>(columns - 1);
    const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    // A number takes two bytes of text at least, so blank lines cannot make this large.
    capacity_ = std::min((newlines + 1) * features_, text.size() / 2 + 1);
    bytes_.reserve(capacity_);
    labels_.reserve(capacity_ / features_ + 1);
  }

  void check_columns(std::string_view line) const {
    const std::uint64_t columns = count_columns(line);
    if (columns == features_ + 1) {
      return;
    }
    std::string what = "has " + columns_text(columns) + "; " + std::to_string(features_ + 1) +
                       (features_ == 0 ? " is expected" : " are expected");
    if (!expectation_.features) {
      what += ", as in line " + std::to_string(first_line_number_);
    } else if (!expectation_.features_from.empty()) {
      what += ", as in " + expectation_.features_from;
    }
    throw error(what);
  }

  void add_row(std::string_view line) {
    const char* at = line.data();
    const char* const end = at + line.size();
    for (std::size_t column = 0; column < features_; ++column) {
      std::uint32_t integer = 0;
      if (read_short_integer(at, end, integer)) {
        if (!wide_ && integer <= 255) {
          bytes_.push_back(static_cast<std::uint8_t>(integer));
        } else {
          add_float(static_cast<float>(integer));
        }
      } else {
        add_float(read_feature(line, column, at));
      }
      ++at;
    }
    add_label(line, line.substr(static_cast<std::size_t>(at - line.data())));
  }

  void add_float(float value) {
    if (!wide_) {
      if (value >= 0 && value <= 255 && value == std::floor(value)) {
        bytes_.push_back(static_cast<std::uint8_t>(value));
        return;
      }
      wide_ = true;
      floats_.reserve(capacity_);
      floats_.assign(bytes_.begin(), bytes_.end());
      bytes_ = {};
    }
    floats_.push_back(value + 0.0F);  // Makes -0 a 0, which it also is among bytes.
  }

  /// Any number, `column` of `line`; moves `at` from its start to the comma after it.
  float read_feature(std::string_view line, std::size_t column, const char*& at) const {
    const auto start = static_cast<std::size_t>(at - line.data());
    const std::size_t comma = line.find(',', start);
    if (comma == std::string_view::npos) {
      check_columns(line);
    }
    const std::string_view field = trimmed(line.substr(start, comma - start));
    float value = 0;
    const NumberFault fault = parse_number(field, value);
    if (fault != NumberFault::kNone) {
      check_columns(line);
      throw number_error(fault, field, column);
    }
    at = line.data() + comma;
    return value;
  }

  [[nodiscard]] Error number_error(NumberFault fault,
                                   std::string_view field,
                                   std::size_t column) const {
    const bool is_header =
        fault == NumberFault::kNotANumber && !field.empty() && line_number_ == first_line_number_;
    return error(fault_text(fault, field, column) +
                 (is_header ? "; if this is a header, remove the line" : ""));
  }

  void add_label(std::string_view line, std::string_view rest) {
    const std::string_view field = trimmed(rest);
    const auto label = parse_integer<std::uint32_t>(field);
    if (!label || field.starts_with('-') || *label > kLabelMax) {
      check_columns(line);
      throw label_error(field);
    }
    if (expectation_.classes && *label >= *expectation_.classes) {
      const std::string& from = expectation_.classes_from;
      throw error("label " + std::to_string(*label) + " is not below " +
                  std::to_string(*expectation_.classes) + (from.empty() ? "" : " (" + from + ")"));
    }
    if (labels_.size() == std::numeric_limits<std::uint32_t>::max()) {
      throw error("is one row too many; split the file");
    }
    labels_.push_back(static_cast<std::uint16_t>(*label));
    largest_label_ = std::max(largest_label_, *label);
  }

  [[nodiscard]] Error label_error(std::string_view field) const {
    if (field.empty()) {
      return error("column " + std::to_string(features_ + 1) + ", the label, is empty");
    }
    const std::string what = "label " + in_quotes(field);
    const bool negative = field.starts_with('-');
    const std::string_view digits = field.substr(negative ? 1 : 0);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
      return error(what + " is not a plain integer; labels are 0, 1, 2, ...");
    }
    if (negative) {
      return error(what + " is negative; labels are 0, 1, 2, ...");
    }
    return error(what + " is too large; labels are at most " + std::to_string(kLabelMax));
  }

  const std::string& name_;
  const CsvExpectation& expectation_;
  std::uint64_t line_number_ = 0;
  std::uint64_t first_line_number_ = 0;
  std::size_t features_ = 0;
  std::size_t capacity_ = 0;  ///< Values the text can hold at most.
  bool wide_ = false;         ///< Whether features go to floats_ rather than bytes_.
  std::vector<std::uint8_t> bytes_;
  std::vector<float> floats_;
  std::vector<std::uint16_t> labels_;
  std::uint32_t largest_label_ = 0;
};

}  // namespace

ml::Shard parse_csv(std::string_view text,
                    const std::string& name,
                    const CsvExpectation& expectation) {
  return CsvParser(name, expectation).parse(text);
}

}  // namespace gradmill::formats
