// Values from JSON that are what they should be, exactly: the library's own conversions cut numbers
// to what fits.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// Reads an integer. Throws Damage if it is another value, or out of range.
template <std::integral T>
requires(!std::same_as<T, bool>) void get_exactly(const nlohmann::json& value, T& number) {
  // A number of either sign is both to the library, if it is not negative.
  const bool fits =
      value.is_number_unsigned()
          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())
          : value.is_number_integer() && std::is_signed_v<T> &&
                value.get<std::int64_t>() >=
                    static_cast<std::int64_t>(std::numeric_limits<T>::min());
  if (!fits) {
    throw Damage("no integer, or one out of range");
  }
  value.get_to(number);
}

/// Reads a number that need not be an integer.
inline void get_exactly(const nlohmann::json& value, double& number) {
  if (!value.is_number()) {
    throw Damage("no number");
  }
  value.get_to(number);
}

/// The library is exact about these, and throws.
inline void get_exactly(const nlohmann::json& value, bool& truth) { value.get_to(truth); }
inline void get_exactly(const nlohmann::json& value, std::string& text) { value.get_to(text); }

template <class T>
void get_exactly(const nlohmann::json& value, std::vector<T>& list) {
  if (!value.is_array()) {
    throw Damage("no list");
  }
  list.clear();
  for (const nlohmann::json& element : value) {
    get_exactly(element, list.emplace_back());
  }
}

}  // namespace gradmill::coordinator
