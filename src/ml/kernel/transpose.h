// Transposes squares of elements in registers.
#pragma once

#include "ml/kernel/lanes.h"
#include "ml/kernel/tile_loops.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// One level of transpose_tile(): exchanges the off-diagonal blocks of `Half` elements.
template <std::size_t Half, class R, int... I>
[[gnu::always_inline]] inline void exchange_blocks(R& a, R& b, std::integer_sequence<int, I...>) {
  constexpr int kHalf = static_cast<int>(Half);
  constexpr int kCount = sizeof...(I);
  const R low = __builtin_shufflevector(a, b, ((I & kHalf) == 0 ? I : I - kHalf + kCount)...);
  const R high = __builtin_shufflevector(a, b, ((I & kHalf) == 0 ? I + kHalf : I + kCount)...);
  a = low;
  b = high;
}

/// to[j][i] = from[i][j] for a square of as many elements as a register has.
template <class T>
[[gnu::always_inline]] inline void transpose_tile(T* to,
                                                  std::size_t ldt,
                                                  const T* from,
                                                  std::size_t ldf) {
  using R = typename Lanes<T>::Register;
  constexpr std::size_t kSide = Lanes<T>::kPerPart;
  R rows[kSide];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kSide; ++i) {
    rows[i] = *reinterpret_cast<const R*>(from + i * ldf);
  }
  const auto level = [&]<std::size_t Half>(Index<Half>) __attribute__((always_inline)) {
    if constexpr (Half < kSide) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kSide; ++i) {
        if ((i & Half) == 0) {
          exchange_blocks<Half>(
              rows[i], rows[i + Half], std::make_integer_sequence<int, static_cast<int>(kSide)>{});
        }
      }
    }
  };
  level(Index<8>{});
  level(Index<4>{});
  level(Index<2>{});
  level(Index<1>{});
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kSide; ++i) {
    *reinterpret_cast<R*>(to + i * ldt) = rows[i];
  }
}

/// Transposes from [rows][columns] to [columns][rows]; both are whole vectors.
template <class T>
void transpose(
    T* to, std::size_t ldt, const T* from, std::size_t ldf, std::size_t rows, std::size_t columns) {
  constexpr std::size_t kSide = Lanes<T>::kPerPart;
  for (std::size_t i = 0; i < rows; i += kSide) {
    for (std::size_t j = 0; j < columns; j += kSide) {
      transpose_tile(to + j * ldt + i, ldt, from + i * ldf + j, ldf);
    }
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
