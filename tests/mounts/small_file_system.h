// A disk that is soon full.
#pragma once

#include <string>

namespace gradmill::mounts {

/// A file system of its own, mounted for as long as it lives. A user who may not mount one gets
/// namespaces in which he may, for the rest of this process: so the first one has to be made before
/// any thread is started.
class SmallFileSystem {
 public:
  /// Makes the folder `path` and mounts `size` there: "8m", say.
  SmallFileSystem(std::string path, const std::string& size);
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;
  ~SmallFileSystem();

  /// False where neither way is open.
  [[nodiscard]] bool mounted() const { return mounted_; }
  /// Takes all the room there is, and gives it back.
  void fill() const;
  void make_room() const;

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace gradmill::mounts
