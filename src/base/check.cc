#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace gradmill::internal {

void check_failed(const char* condition, const char* file, int line) noexcept {
  static_cast<void>(
      std::fprintf(stderr, "gradmill: bug: %s does not hold at %s:%d\n", condition, file, line));
  std::abort();
}

}  // namespace gradmill::internal
