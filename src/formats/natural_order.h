// The order in which people number files: 1, 2, ..., 10, 11.
#pragma once

#include <string_view>

namespace gradmill::formats {

/// Whether `a` comes before `b`: runs of digits compare as numbers, all else byte by byte; names
/// that differ only in leading zeros compare as plain text. A strict total order.
[[nodiscard]] bool natural_less(std::string_view a, std::string_view b);

}  // namespace gradmill::formats
