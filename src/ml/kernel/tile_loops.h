// Loops over tiles whose sizes the compiler knows.
#pragma once

#include <cstddef>

#include "ml/kernel/isa.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Calls f(first, count) for `size` cut into the fewest pieces of at most `most`, as equal as can
/// be.
template <class F>
[[gnu::always_inline]] inline void for_each_tile(std::size_t size, std::size_t most, const F& f) {
  if (size == 0) {
    return;
  }
  const std::size_t tiles = (size + most - 1) / most;
  const std::size_t least = size / tiles;
  const std::size_t larger = size % tiles;
  for (std::size_t t = 0, first = 0; t < tiles; ++t) {
    const std::size_t count = least + (t < larger ? 1 : 0);
    f(first, count);
    first += count;
  }
}

/// A functor called with an index known at compile time: f(Index<n>{}) for the run-time n, 1..Most.
template <std::size_t N>
struct Index {};
template <std::size_t Most, class F>
[[gnu::always_inline]] inline void with_constant(std::size_t n, const F& f) {
  if constexpr (Most > 1) {
    if (n < Most) {
      with_constant<Most - 1>(n, f);
      return;
    }
  }
  f(Index<Most>{});
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
