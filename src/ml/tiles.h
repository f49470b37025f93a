// Register-tiled products over a block of samples: the inner loops of the gradient kernel.
//
// A block is a matrix [units][rows] of T, feature-major: samples run along the lanes. Letters: B is
// the rows of a block, a multiple of two lane vectors.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "ml/lanes.h"

namespace gradmill::ml {

/// Output units of one dense tile at most: 13 x 2 accumulators, 2 inputs and a weight fill 29 of 32
/// registers, and 26 classes are two tiles.
inline constexpr std::size_t kTileUnits = 13;

/// Matrix [out][in] reordered for dense_block: tiles of up to kTileUnits outputs, each [in][tile].
/// The tiles of a matrix differ by at most one output.
template <class T>
class PackedMatrix {
 public:
  PackedMatrix(std::size_t out, std::size_t in) : out_(out), in_(in), values_(out * in) {}

  /// Takes element (o, i) from matrix[o * out_stride + i * in_stride].
  void pack(const T* matrix, std::size_t out_stride, std::size_t in_stride) {
    T* to = values_.data();
    for_each_tile([&](std::size_t first, std::size_t count) {
      for (std::size_t i = 0; i < in_; ++i) {
        for (std::size_t o = first; o < first + count; ++o) {
          *to++ = matrix[o * out_stride + i * in_stride];
        }
      }
    });
  }
  /// Calls f(first output, number of outputs) for each tile in order.
  template <class F>
  void for_each_tile(const F& f) const {
    const std::size_t tiles = (out_ + kTileUnits - 1) / kTileUnits;
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t first = t * out_ / tiles;
      f(first, (t + 1) * out_ / tiles - first);
    }
  }
  [[nodiscard]] std::size_t in() const { return in_; }
  /// The tile that starts at output `first`: [in][count].
  [[nodiscard]] const T* tile(std::size_t first) const { return values_.data() + first * in_; }

 private:
  std::size_t out_;
  std::size_t in_;
  std::vector<T> values_;
};

/// target[o][s] = bias[o] + sum over i of weights[i][o] * source[i][s], for `Units` outputs and all
/// B samples. `bias` may be null for zero.
template <class T, std::size_t Units>
void dense_tile(
    T* target, const T* source, const T* weights, const T* bias, std::size_t in, std::size_t rows) {
  using V = Lanes<T>;
  for (std::size_t s = 0; s < rows; s += 2 * V::kCount) {
    std::array<V, Units> low{};
    std::array<V, Units> high{};
    for (std::size_t o = 0; o < Units; ++o) {
      low[o] = high[o] = bias != nullptr ? V::splat(bias[o]) : V::zero();
    }
    const T* weight = weights;
    const T* input = source + s;
    for (std::size_t i = 0; i < in; ++i, weight += Units, input += rows) {
      const V x = V::load(input);
      const V y = V::load(input + V::kCount);
#pragma GCC unroll 13
      for (std::size_t o = 0; o < Units; ++o) {
        const V w = V::splat(weight[o]);
        low[o] = fma(w, x, low[o]);
        high[o] = fma(w, y, high[o]);
      }
    }
    for (std::size_t o = 0; o < Units; ++o) {
      low[o].store(target + o * rows + s);
      high[o].store(target + o * rows + s + V::kCount);
    }
  }
}

/// target [out][B] = bias [out] + matrix [out][in] * source [in][B]. `bias` may be null for zero.
template <class T>
void dense_block(
    T* target, const T* source, const PackedMatrix<T>& matrix, const T* bias, std::size_t rows) {
  using Tile = void (*)(T*, const T*, const T*, const T*, std::size_t, std::size_t);
  static constexpr auto kTiles = []<std::size_t... N>(std::index_sequence<N...>) {
    return std::array<Tile, sizeof...(N)>{&dense_tile<T, N + 1>...};
  }
  (std::make_index_sequence<kTileUnits>{});
  matrix.for_each_tile([&](std::size_t first, std::size_t count) {
    kTiles[count - 1](target + first * rows,
                      source,
                      matrix.tile(first),
                      bias != nullptr ? bias + first : nullptr,
                      matrix.in(),
                      rows);
  });
}

/// One side of an outer product tile.
inline constexpr std::size_t kOuterUnits = 4;

/// gradient[o][i] = sum over s of left[o][s] * right[i][s]; [out][in] from [out][B] and [in][B].
/// Each element sums its samples lane by lane, then the lanes as a tree.
template <class T>
void outer_block(
    T* gradient, const T* left, const T* right, std::size_t out, std::size_t in, std::size_t rows) {
  using V = Lanes<T>;
  constexpr std::size_t kSide = kOuterUnits;
  for (std::size_t o = 0; o < out; o += kSide) {
    const std::size_t outs = std::min(kSide, out - o);
    for (std::size_t i = 0; i < in; i += kSide) {
      const std::size_t ins = std::min(kSide, in - i);
      // A tile over the edge reads its last row again and drops what comes of it.
      std::array<const T*, kSide> l{};
      std::array<const T*, kSide> r{};
      for (std::size_t k = 0; k < kSide; ++k) {
        l[k] = left + (o + std::min(k, outs - 1)) * rows;
        r[k] = right + (i + std::min(k, ins - 1)) * rows;
      }
      std::array<V, kSide * kSide> sums{};
      for (std::size_t s = 0; s < rows; s += V::kCount) {
        std::array<V, kSide> x{};
        for (std::size_t k = 0; k < kSide; ++k) {
          x[k] = V::load(r[k] + s);
        }
#pragma GCC unroll 4
        for (std::size_t a = 0; a < kSide; ++a) {
          const V y = V::load(l[a] + s);
#pragma GCC unroll 4
          for (std::size_t b = 0; b < kSide; ++b) {
            sums[a * kSide + b] = fma(y, x[b], sums[a * kSide + b]);
          }
        }
      }
      alignas(kLaneBytes) std::array<T, kSide * kSide> totals{};
      tree_sums(sums, totals.data());
      for (std::size_t a = 0; a < outs; ++a) {
        for (std::size_t b = 0; b < ins; ++b) {
          gradient[(o + a) * in + i + b] = totals[a * kSide + b];
        }
      }
    }
  }
}

/// sums[o] = sum over s of left[o][s], in the order of outer_block.
template <class T>
void sum_block(T* sums, const T* left, std::size_t out, std::size_t rows) {
  using V = Lanes<T>;
  for (std::size_t o = 0; o < out; ++o) {
    V sum = V::zero();
    for (std::size_t s = 0; s < rows; s += V::kCount) {
      sum = sum + V::load(left + o * rows + s);
    }
    sums[o] = tree_sum(sum);
  }
}

}  // namespace gradmill::ml
