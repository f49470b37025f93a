#include "formats/number_field.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "formats/text.h"

namespace gradmill::formats {
namespace {

bool spells_no_finite_number(std::string_view unsigned_text) {
  std::string start(unsigned_text.substr(0, 3));
  std::transform(start.begin(), start.end(), start.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  });
  return start == "nan" || start == "inf";
}

}  // namespace

NumberFault parse_number(std::string_view text, float& value) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return NumberFault::kNotANumber;
    }
  }
  const std::string_view unsigned_text = text.substr(text.starts_with('-') ? 1 : 0);
  if (spells_no_finite_number(unsigned_text)) {
    return NumberFault::kNotFinite;
  }
  const char* const end = text.data() + text.size();
  auto result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc::result_out_of_range && result.ptr == end) {
    // from_chars does not tell too large from too small; a double does.
    double wide = 0;
    result = std::from_chars(text.data(), end, wide);
    if (result.ec != std::errc{} || std::abs(wide) >= 1) {
      return NumberFault::kOutOfRange;
    }
    value = static_cast<float>(wide);
  }
  return result.ec == std::errc{} && result.ptr == end ? NumberFault::kNone
                                                       : NumberFault::kNotANumber;
}

std::string fault_text(NumberFault fault, std::string_view field, std::size_t column) {
  const std::string where = "column " + std::to_string(column + 1);
  if (field.empty()) {
    return where + " is empty";
  }
  const std::string what = in_quotes(field) + " in " + where;
  switch (fault) {
    case NumberFault::kNotFinite:
      return what + " is not a finite number";
    case NumberFault::kOutOfRange:
      return what + " is out of range; features are 32-bit floats, at most 3.4e38";
    default:
      return what + " is not a number";
  }
}

}  // namespace gradmill::formats
