// Names that nobody else has.
#pragma once

#include <string>

namespace gradmill {

/// `digits` random hexadecimal digits from the system. For identities alone; nothing that decides
/// results may come from here.
[[nodiscard]] std::string random_id(unsigned digits);

}  // namespace gradmill
