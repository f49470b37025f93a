// The steps by which anything becomes durable, one by one, so that tests can fail each of them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace gradmill::coordinator {

/// What the store asks of the disk. Stateless in production, so thread-safe. Every step throws
/// std::system_error whose text is the reason alone, and has then done nothing that lasts.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// A folder for its owner alone; fine if it is there.
  virtual void make_folder(const std::string& path) = 0;
  /// A new file of `parts`, for its owner alone, in place of a leftover. Not yet durable.
  virtual void write(const std::string& path, std::span<const std::string_view> parts) = 0;
  /// Makes the content of files, and the names in folders, durable; in no order.
  virtual void sync(std::span<const std::string> paths) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// A file or an empty folder; fine if it is gone.
  virtual void remove(const std::string& path) = 0;
  /// Runs a whole transaction of the database, which is durable when it returns.
  virtual void transact(const std::function<void()>& transaction) = 0;
};

/// That of the operating system.
[[nodiscard]] FileSystem& real_file_system();

}  // namespace gradmill::coordinator
