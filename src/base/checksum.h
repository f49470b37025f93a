// Checksums against accidents on the way.
#pragma once

#include <cstdint>
#include <string_view>

namespace gradmill {

/// XXH3 of 64 bits (libxxhash): finds flipped bits at memory speed. No protection against malice,
/// and no name for anything; those are digests.
[[nodiscard]] std::uint64_t checksum(std::string_view data);

}  // namespace gradmill
