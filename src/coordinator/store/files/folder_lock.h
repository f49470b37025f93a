// One process a state folder.
#pragma once

#include <string>

namespace gradmill::coordinator {

/// Holds a state folder, for as long as it lives, against all other processes of this machine.
class FolderLock {
 public:
  /// Makes the folder if there is none. `holder` is what another process is told of this one, next
  /// to its process id. Throws Error(kInvalidInput) with one line that names the folder, what is
  /// wrong with it and what to do.
  FolderLock(const std::string& folder, const std::string& holder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  /// Whether the folder that was locked is still the one of that name.
  [[nodiscard]] bool is_in_place() const;

 private:
  std::string file_;
  int fd_ = -1;
};

}  // namespace gradmill::coordinator
