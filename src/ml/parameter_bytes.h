// Parameters as bytes: little endian, as they lie in blobs and model files.
#pragma once

#include <algorithm>
#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace gradmill::ml {

static_assert(std::endian::native == std::endian::little, "blobs are little endian");

template <class T>
[[nodiscard]] std::vector<T> parameters_from(std::string_view bytes) {
  GRADMILL_CHECK(bytes.size() % sizeof(T) == 0);
  std::vector<T> values(bytes.size() / sizeof(T));
  // Not memcpy, which may not be given the null pointer of an empty vector.
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

template <class T>
[[nodiscard]] std::string bytes_from(std::span<const T> values) {
  const auto* const first = reinterpret_cast<const char*>(values.data());
  return {first, first + values.size_bytes()};
}

}  // namespace gradmill::ml
