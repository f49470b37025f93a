// Files that appear whole or not at all.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace gradmill {

/// Writes `parts`, one after the other, to the file `name`: temporary file in the same folder,
/// fsync, rename, fsync of the folder. A symbolic link stays one. Throws Error (kInvalidInput,
/// naming the file) and leaves whatever was there as it was when any step fails.
void write_file_durably(const std::string& name, std::span<const std::string_view> parts);

/// The whole of a regular file of at most `bytes_max`. Throws Error(kInvalidInput)
/// naming `path` if there is none, or it is no regular file, too large or unreadable.
[[nodiscard]] std::string read_file(const std::string& path, std::size_t bytes_max);

/// The same, if `check` does not throw at what the opened file is.
[[nodiscard]] std::string read_file(const std::string& path,
                                    std::size_t bytes_max,
                                    const std::function<void(const struct stat&)>& check);

}  // namespace gradmill
