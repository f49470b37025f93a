// A library to preload into a compute node: the thread that sends the first result of a task, which
// the file GRADMILL_TEST_END_ONCE waits for, ends the process instead, in the way that
// GRADMILL_TEST_END_BY names: exit, or overflow of its stack. The file goes with that.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include <sys/socket.h>

namespace {

// Only results of tasks are as large.
constexpr std::size_t kResultBytes = 2000;

/// Uses up the stack, unless `last` is small; the sum keeps the compiler from making a loop of it.
int overflow(int depth, int last) {
  volatile char frame[4096] = {};
  frame[depth % 4096] = 1;
  return depth == last ? 0 : overflow(depth + 1, last) + frame[0];
}

void end() {
  const char* const file = std::getenv("GRADMILL_TEST_END_ONCE");
  const char* const way = std::getenv("GRADMILL_TEST_END_BY");
  if (file == nullptr || way == nullptr || ::unlink(file) != 0) {
    return;
  }
  if (std::string_view(way) == "overflow") {
    static_cast<void>(overflow(0, 1'000'000'000));
  }
  std::exit(0);
}

}  // namespace

extern "C" ssize_t send(int fd, const void* bytes, size_t count, int flags) {
  static const auto next =
      reinterpret_cast<ssize_t (*)(int, const void*, size_t, int)>(::dlsym(RTLD_NEXT, "send"));
  if (count >= kResultBytes) {
    end();
  }
  return next(fd, bytes, count, flags);
}
