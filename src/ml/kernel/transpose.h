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

/// Rows and columns of a square of bytes.
inline constexpr std::size_t kByteSide = 16;

/// to[j][i] = from[i][j] for a square of bytes; `to` is aligned to 16. Four rounds of interleaving
/// the upper half of the rows with the lower one.
[[gnu::always_inline]] inline void transpose_bytes(std::uint8_t* to,
                                                   const std::uint8_t* from,
                                                   std::size_t ldf) {
  using Row [[gnu::vector_size(kByteSide)]] = std::uint8_t;
  using Anywhere [[gnu::vector_size(kByteSide), gnu::aligned(1)]] = std::uint8_t;
  Row rows[kByteSide];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kByteSide; ++i) {
    rows[i] = *reinterpret_cast<const Anywhere*>(from + i * ldf);
  }
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    Row next[kByteSide];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kByteSide / 2; ++i) {
      const Row a = rows[i];
      const Row b = rows[i + kByteSide / 2];
      next[2 * i] =
          __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(
          a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kByteSide; ++i) {
      rows[i] = next[i];
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kByteSide; ++i) {
    *reinterpret_cast<Row*>(to + i * kByteSide) = rows[i];
  }
}

/// to[j][i] = from[i][j] as a number, for `rows` up to kByteSide rows of `columns` bytes one after
/// another. Columns of `to` from `rows` to kByteSide become 0.
template <class T>
void transpose_from_bytes(
    T* to, std::size_t ldt, const std::uint8_t* from, std::size_t rows, std::size_t columns) {
  alignas(kLaneBytes) std::uint8_t square[kByteSide * kByteSide];
  for (std::size_t first = 0; first < columns; first += kByteSide) {
    const std::size_t left = columns - first;
    const std::size_t count = left < kByteSide ? left : kByteSide;
    if (rows == kByteSide && count == kByteSide) {
      transpose_bytes(square, from + first, columns);
    } else {
      for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t i = 0; i < kByteSide; ++i) {
          square[j * kByteSide + i] = i < rows ? from[i * columns + first + j] : 0;
        }
      }
    }
    for (std::size_t j = 0; j < count; ++j) {
      T* const target = to + (first + j) * ldt;
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kByteSide; ++i) {
        target[i] = static_cast<T>(square[j * kByteSide + i]);
      }
    }
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
