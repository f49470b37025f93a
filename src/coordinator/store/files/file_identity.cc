#include "coordinator/store/files/file_identity.h"

#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace gradmill::coordinator {

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0
             ? std::optional(FileIdentity{status.st_dev, status.st_ino})
             : std::nullopt;
}

std::optional<FileIdentity> identity_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? std::optional(FileIdentity{status.st_dev, status.st_ino})
                                   : std::nullopt;
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

std::string free_name(const std::string& path) {
  unsigned number = 1;
  while (is_there(path + std::to_string(number))) {
    ++number;
  }
  return path + std::to_string(number);
}

}  // namespace gradmill::coordinator
