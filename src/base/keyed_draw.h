// Random numbers that depend on a key alone, never on the order in which they are drawn.
#pragma once

#include <string_view>

namespace gradmill {

/// A number in [0, 1) with 53 random bits, the same for the same key everywhere: the first eight
/// bytes of the key's SHA-256. Callers separate the key's parts so that no two keys run together.
[[nodiscard]] double keyed_draw(std::string_view key);

}  // namespace gradmill
