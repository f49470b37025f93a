// Subnormal numbers count as zero while training: arithmetic on them is a hundred times slower, and
// moments that decay towards zero would be full of them.
#pragma once

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace gradmill::ml {

/// For as long as it lives, operations of this thread take and give zero for subnormal numbers.
class FlushSubnormals {
 public:
#ifdef __SSE2__
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlush); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
#else
  FlushSubnormals() = default;
  ~FlushSubnormals() = default;
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#ifdef __SSE2__
  // Flush to zero, and denormals are zero.
  static constexpr unsigned kFlush = 0x8040;
  unsigned before_;
#endif
};

}  // namespace gradmill::ml
