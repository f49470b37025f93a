#include "mounts/small_file_system.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include <sys/mount.h>

namespace gradmill::mounts {
namespace {

bool write_to(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

/// What `unshare --map-root-user --mount` does, in this process.
bool enter_namespaces() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_to("/proc/self/setgroups", "deny") &&
         write_to("/proc/self/uid_map", "0 " + user + " 1") &&
         write_to("/proc/self/gid_map", "0 " + group + " 1");
}

}  // namespace

SmallFileSystem::SmallFileSystem(std::string path, const std::string& size)
    : path_(std::move(path)) {
  std::filesystem::create_directory(path_);
  const auto mount = [&] {
    return ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("size=" + size + ",mode=0700").c_str()) ==
           0;
  };
  mounted_ = mount() || (enter_namespaces() && mount());
}

SmallFileSystem::~SmallFileSystem() {
  if (mounted_) {
    ::umount2(path_.c_str(), MNT_DETACH);
  }
}

void SmallFileSystem::fill() const {
  const int fd = ::open((path_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  for (std::string block(1U << 16U, 'x'); !block.empty();) {
    if (::write(fd, block.data(), block.size()) < 0) {
      block.resize(block.size() / 2);
    }
  }
  ::close(fd);
}

void SmallFileSystem::make_room() const { std::filesystem::remove(path_ + "/ballast"); }

}  // namespace gradmill::mounts
