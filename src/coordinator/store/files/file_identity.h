// Which file a name stands for, if any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gradmill::coordinator {

/// Tells a file from any other that is there at the same time. A value.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

/// Nothing if there is no such file.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);
[[nodiscard]] std::optional<FileIdentity> identity_of(int fd);

/// Whether something, be it a broken link, has this name.
[[nodiscard]] bool is_there(const std::string& path);
/// `path` with the lowest number behind it that is free.
[[nodiscard]] std::string free_name(const std::string& path);

}  // namespace gradmill::coordinator
