// Files that the user asked for.
#pragma once

#include <string>

namespace gradmill::client {

/// Refuses a file that could not be written later, before any work is done for it; an empty path is
/// fine. Throws Error(kInvalidInput) naming option and path.
void check_writable(const std::string& option, const std::string& path);

}  // namespace gradmill::client
