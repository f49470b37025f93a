#include "rpc/interrupt.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <sys/eventfd.h>

#include "base/error.h"

namespace gradmill::rpc {

Interrupt::Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_.get() < 0) {
    throw Error(ErrorCode::kUnavailable, "out of file descriptors");
  }
}

void Interrupt::trigger() noexcept {
  const int saved_errno = errno;
  triggered_.store(true);
  const std::uint64_t one = 1;
  // Cannot fail: the counter would have to reach 2^64 - 1 first.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
  errno = saved_errno;
}

}  // namespace gradmill::rpc
