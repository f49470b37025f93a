// Numbers in the fields of text files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradmill::formats {

enum class NumberFault { kNone, kNotANumber, kNotFinite, kOutOfRange };

/// The float nearest to what `text` spells, without blanks around it; a number too small for one
/// becomes zero.
[[nodiscard]] NumberFault parse_number(std::string_view text, float& value);

/// What is wrong with the field in `column`, counted from 0.
[[nodiscard]] std::string fault_text(NumberFault fault, std::string_view field, std::size_t column);

}  // namespace gradmill::formats
