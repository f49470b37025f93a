#include "base/short_slices.h"

#include <unistd.h>

#include <cerrno>

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>

namespace gradmill {
namespace {

// The least that the kernel takes.
constexpr unsigned long kSliceNanoseconds = 100'000;

}  // namespace

void prefer_short_slices() noexcept {
  const int saved_errno = errno;
  sched_attr attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0 &&
      attributes.sched_policy == SCHED_NORMAL) {
    attributes.sched_runtime = kSliceNanoseconds;
    ::syscall(SYS_sched_setattr, 0, &attributes, 0);
  }
  errno = saved_errno;
}

}  // namespace gradmill
