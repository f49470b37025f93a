#include "base/checksum.h"

#include <xxhash.h>

namespace gradmill {

std::uint64_t checksum(std::string_view data) { return XXH3_64bits(data.data(), data.size()); }

}  // namespace gradmill
