// How long to wait before asking again.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace gradmill::coordinator {

/// A pause after `before` pauses in a row: 50 ms, doubling, at most 1 s, with up to half of it more
/// by jitter (the bounds hold with the jitter, and the longest pauses still differ).
[[nodiscard]] inline std::chrono::steady_clock::duration backoff(unsigned before,
                                                                 std::mt19937_64& generator) {
  using Pause = std::chrono::duration<double, std::milli>;
  constexpr Pause kFirst{50};
  constexpr Pause kLast{1000 / 1.5};
  const Pause base = std::min(kLast, kFirst * static_cast<double>(1U << std::min(before, 10U)));
  const double jitter = 1.0 + 0.5 * (static_cast<double>(generator() >> 11U) * 0x1p-53);
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(base * jitter);
}

}  // namespace gradmill::coordinator
