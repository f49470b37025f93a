// Parameters as bytes: little endian, as they lie in blobs and model files.
#pragma once

#include <bit>
#include <cstring>
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
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <class T>
[[nodiscard]] std::string bytes_from(std::span<const T> values) {
  std::string bytes(values.size_bytes(), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace gradmill::ml
