#include "client/report/output_file.h"

#include <unistd.h>

#include <filesystem>

#include "base/error.h"

namespace gradmill::client {

void check_writable(const std::string& option, const std::string& path) {
  if (path.empty()) {
    return;
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string where = folder.empty() ? "." : folder.string();
  if (std::filesystem::is_directory(path) || ::access(where.c_str(), W_OK) != 0) {
    throw invalid_input(option + ": '" + path + "' cannot be written: " +
                        (std::filesystem::is_directory(path)    ? "it is a folder"
                         : std::filesystem::is_directory(where) ? "no permission"
                                                                : "there is no such folder"));
  }
}

}  // namespace gradmill::client
