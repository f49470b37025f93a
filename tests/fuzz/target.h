// What the fuzz targets share. A target throws nothing, and aborts on what must not be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"

/// Called by libFuzzer with each input; see the documentation of LLVM.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace gradmill::fuzz {

/// The input as text.
[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes a byte off the front of the input, 0 if it is empty: a choice among few things.
[[nodiscard]] inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) {
    return 0;
  }
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

/// Aborts unless `message` is fit for people: one line that no byte of the input can garble.
inline void check_message(std::string_view message) {
  GRADMILL_CHECK(!message.empty());
  for (const char c : message) {
    GRADMILL_CHECK(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
  }
}

}  // namespace gradmill::fuzz
