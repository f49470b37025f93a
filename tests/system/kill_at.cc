// A library to preload into a coordinator: it ends the process by SIGKILL at a point of its writing
// to the state folder. GRADMILL_TEST_KILL_AT is POINT:N, the N-th time that the point is reached;
// GRADMILL_TEST_STATE is the state folder. A write that is the point is done by half.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace {

struct Plan {
  Plan() {
    const char* const folder = std::getenv("GRADMILL_TEST_STATE");
    const char* const at = std::getenv("GRADMILL_TEST_KILL_AT");
    if (folder != nullptr && at != nullptr) {
      const std::string_view text(at);
      state = folder;
      point = text.substr(0, text.find(':'));
      left = std::atoi(at + point.size() + 1);
    }
  }
  std::string state;
  std::string point;
  std::atomic<int> left{0};
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

/// Whether this is the time to die.
bool is_reached(std::string_view path, std::string_view point) {
  Plan& all = plan();
  return !all.state.empty() && path.starts_with(all.state) && point == all.point && --all.left == 0;
}

void die_at(std::string_view path, std::string_view point) {
  if (is_reached(path, point)) {
    ::kill(::getpid(), SIGKILL);
  }
}

std::string path_of(int fd) {
  std::array<char, 64> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  const ssize_t got = ::readlink(link.data(), path.data(), path.size());
  return {path.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

bool is_log(std::string_view path) { return path.ends_with(".db-wal"); }
bool is_database(std::string_view path) { return path.ends_with(".db"); }

std::string_view write_point(std::string_view path) {
  return is_log(path) ? "write-log" : is_database(path) ? "write-database" : "write-file";
}

std::string_view sync_point(int fd, std::string_view path) {
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    return "sync-folder";
  }
  return is_log(path) ? "sync-log" : is_database(path) ? "sync-database" : "sync-file";
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

template <class Write>
void die_in_write(int fd, std::size_t count, const Write& write_some) {
  const std::string path = path_of(fd);
  if (is_reached(path, write_point(path))) {
    write_some(count / 2);
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t count) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  die_in_write(fd, count, [&](std::size_t some) { static_cast<void>(real(fd, data, some)); });
  return real(fd, data, count);
}

ssize_t pwrite64(int fd, const void* data, std::size_t count, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  die_in_write(fd, count, [&](std::size_t some) { static_cast<void>(real(fd, data, some, at)); });
  return real(fd, data, count, at);
}

int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  const std::string path = path_of(fd);
  die_at(path, sync_point(fd, path));
  return real(fd);
}

int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  const std::string path = path_of(fd);
  die_at(path, sync_point(fd, path));
  return real(fd);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  die_at(to, "rename");
  return real(from, to);
}

int remove(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("remove");
  die_at(path, "remove");
  return real(path);
}

int unlink(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("unlink");
  die_at(path, "remove");
  return real(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int (*)(const char*, mode_t)>("mkdir");
  die_at(path, "make-folder");
  return real(path, mode);
}

}  // extern "C"
