// A library to preload into a coordinator: at a point of its writing to the state folder it ends
// the process by SIGKILL, or lets the call fail. GRADMILL_TEST_STRIKE_AT is POINT:N, the N-th time
// that the point is reached, or POINT:N:ERRNO for a call that fails; GRADMILL_TEST_STATE is the
// state folder. A write that is the point is done by half. A failed call is told on stderr.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace {

struct Plan {
  Plan() {
    const char* const folder = std::getenv("GRADMILL_TEST_STATE");
    const char* const at = std::getenv("GRADMILL_TEST_STRIKE_AT");
    if (folder != nullptr && at != nullptr) {
      const std::string_view text(at);
      state = folder;
      point = text.substr(0, text.find(':'));
      left = std::atoi(at + point.size() + 1);
      const std::size_t colon = text.find(':', point.size() + 1);
      error = colon == text.npos ? 0 : std::atoi(at + colon + 1);
    }
  }
  std::string state;
  std::string point;
  std::atomic<int> left{0};
  int error = 0;  // Of the call that fails; 0: the process is killed.
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

/// Whether this call is the one to strike.
bool is_reached(std::string_view path, std::string_view point) {
  Plan& all = plan();
  return !all.state.empty() && path.starts_with(all.state) && point == all.point && --all.left == 0;
}

/// Kills the process, or sets errno.
void strike() {
  if (plan().error == 0) {
    ::kill(::getpid(), SIGKILL);
  }
  std::fputs("struck by the test\n", stderr);
  errno = plan().error;
}

/// Whether the call is to fail; if so, errno says how.
bool fails_at(std::string_view path, std::string_view point) {
  const bool reached = is_reached(path, point);
  if (reached) {
    strike();
  }
  return reached;
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

/// The same for a write, half of which is done.
template <class Write>
bool fails_in_write(int fd, std::size_t count, const Write& write_some) {
  const std::string path = path_of(fd);
  const bool reached = is_reached(path, write_point(path));
  if (reached) {
    write_some(count / 2);
    strike();
  }
  return reached;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t count) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  const auto half = [&](std::size_t some) { static_cast<void>(real(fd, data, some)); };
  return fails_in_write(fd, count, half) ? -1 : real(fd, data, count);
}

ssize_t pwrite64(int fd, const void* data, std::size_t count, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  const auto half = [&](std::size_t some) { static_cast<void>(real(fd, data, some, at)); };
  return fails_in_write(fd, count, half) ? -1 : real(fd, data, count, at);
}

int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  const std::string path = path_of(fd);
  return fails_at(path, sync_point(fd, path)) ? -1 : real(fd);
}

int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  const std::string path = path_of(fd);
  return fails_at(path, sync_point(fd, path)) ? -1 : real(fd);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return fails_at(to, "rename") ? -1 : real(from, to);
}

int remove(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("remove");
  return fails_at(path, "remove") ? -1 : real(path);
}

int unlink(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("unlink");
  return fails_at(path, "remove") ? -1 : real(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int (*)(const char*, mode_t)>("mkdir");
  return fails_at(path, "make-folder") ? -1 : real(path, mode);
}

}  // extern "C"
