#include "base/keyed_draw.h"

#include <cstdint>

#include "base/digest.h"

namespace gradmill {

double keyed_draw(std::string_view key) {
  const Digest digest = sha256(key);
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) {
    bits |= static_cast<std::uint64_t>(digest.bytes[i]) << (8 * i);
  }
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

}  // namespace gradmill
