#include "client/report/output_file.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace gradmill::client {
namespace {

/// Why no file can be put there; empty: it can.
std::string fault_of(const std::string& path) {
  std::error_code none;
  const std::filesystem::file_status there = std::filesystem::status(path, none);
  if (std::filesystem::is_directory(there)) {
    return "it is a folder";
  }
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    return "it is no regular file";
  }
  // Of a link, the folder of what it stands for.
  const std::filesystem::path target = std::filesystem::canonical(path, none);
  const std::filesystem::path folder =
      (target.empty() ? std::filesystem::path(path) : target).parent_path();
  const std::string where = folder.empty() ? "." : folder.string();
  if (::access(where.c_str(), W_OK) == 0) {
    return "";
  }
  return std::filesystem::is_directory(where, none) ? "no permission" : "there is no such folder";
}

}  // namespace

void check_writable(const std::string& option, const std::string& path) {
  if (path.empty()) {
    return;
  }
  const std::string fault = fault_of(path);
  if (!fault.empty()) {
    throw invalid_input(option + ": '" + path + "' cannot be written: " + fault);
  }
}

}  // namespace gradmill::client
