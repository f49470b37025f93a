// Samples in lanes: register-tiled products over a chunk of samples, for narrow layers.
//
// A chunk is a matrix [units][ld], feature-major: samples run along the lanes, and ld is the same
// for all matrices of a network. Letters: S is the number of samples to work on, a multiple of the
// lanes of a vector.
#pragma once

#include "ml/kernel/tile_loops.h"
#include "ml/kernel/unit_function.h"

// With a sanitizer the compiler would take minutes for them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GRADMILL_UNROLL_STEPS
#else
#define GRADMILL_UNROLL_STEPS _Pragma("GCC unroll 4")
#endif

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Tile sizes fill the registers: accumulators, inputs and a weight. The bits do not depend on
/// them. 13 outputs, since 26 classes are two tiles.
inline constexpr std::size_t kDenseOuts = kRegisterBytes == 64 ? 13 : kRegisterBytes == 32 ? 6 : 3;
inline constexpr std::size_t kDenseVectors = kRegisterBytes == 64 ? 2 : 1;
inline constexpr std::size_t kOuterOuts = kRegisterBytes == 64 ? 6 : kRegisterBytes == 32 ? 3 : 2;
inline constexpr std::size_t kOuterIns = kRegisterBytes == 64 ? 4 : kRegisterBytes == 32 ? 2 : 1;

/// acc[o][v] = bias[o] + sum over i of weights[i][o] * source[i][v], for the `Vectors` vectors of
/// samples at `source`. `bias` may be null for zero.
template <std::size_t Outs, std::size_t Vectors, class T>
[[gnu::always_inline]] inline void accumulate_dense(Lanes<T> (&acc)[Outs][Vectors],
                                                    const T* source,
                                                    const T* weights,
                                                    const T* bias,
                                                    std::size_t in,
                                                    std::size_t ld) {
  using V = Lanes<T>;
#pragma GCC unroll 16
  for (std::size_t o = 0; o < Outs; ++o) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Vectors; ++v) {
      acc[o][v] = bias != nullptr ? V::splat(bias[o]) : V::zero();
    }
  }
  GRADMILL_UNROLL_STEPS  // Depths are short, and each end of a loop is mispredicted.
      for (std::size_t i = 0; i < in; ++i, weights += Outs, source += ld) {
    V x[Vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Vectors; ++v) {
      x[v] = V::load(source + v * V::kCount);
    }
#pragma GCC unroll 16
    for (std::size_t o = 0; o < Outs; ++o) {
      const V w = V::splat(weights[o]);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v) {
        acc[o][v] = fma(w, x[v], acc[o][v]);
      }
    }
  }
}

/// Calls finish(sums, place) for each vector of bias + matrix * source [in][S], with its place in
/// target [out][S]. `packed` is the matrix in the order of dense_order(); `bias` may be null for
/// zero.
template <class T, class Finish>
[[gnu::always_inline]] inline void dense_tiles(T* target,
                                               const T* source,
                                               const T* packed,
                                               const T* bias,
                                               std::size_t out,
                                               std::size_t in,
                                               std::size_t samples,
                                               std::size_t ld,
                                               const Finish& finish) {
  using V = Lanes<T>;
  for_each_tile(out, kDenseOuts, [&](std::size_t first, std::size_t count) {
    with_constant<kDenseOuts>(count, [&]<std::size_t Outs>(Index<Outs>) {
      const auto strip = [&]<std::size_t Vectors>(Index<Vectors>, std::size_t s) {
        V acc[Outs][Vectors];
        accumulate_dense(
            acc, source + s, packed + first * in, bias != nullptr ? bias + first : nullptr, in, ld);
#pragma GCC unroll 16
        for (std::size_t o = 0; o < Outs; ++o) {
#pragma GCC unroll 2
          for (std::size_t v = 0; v < Vectors; ++v) {
            finish(acc[o][v], target + (first + o) * ld + s + v * V::kCount);
          }
        }
      };
      std::size_t s = 0;
      for (; s + kDenseVectors * V::kCount <= samples; s += kDenseVectors * V::kCount) {
        strip(Index<kDenseVectors>{}, s);
      }
      for (; s < samples; s += V::kCount) {
        strip(Index<1>{}, s);
      }
    });
  });
}

/// target [out][S] = Unit(bias [out] + matrix * source [in][S]); see dense_tiles().
template <class Unit, class T>
void dense_forward(T* target,
                   const T* source,
                   const T* packed,
                   const T* bias,
                   std::size_t out,
                   std::size_t in,
                   std::size_t samples,
                   std::size_t ld) {
  const auto finish = [](Lanes<T> sum, T * place) __attribute__((always_inline)) {
    Unit::forward(sum).store(place);
  };
  dense_tiles(target, source, packed, bias, out, in, samples, ld, finish);
}

/// Turns outputs [out][S] into deltas in place: the derivative of Unit at them, times matrix *
/// source [in][S].
template <class Unit, class T>
void dense_backward(T* outputs,
                    const T* source,
                    const T* packed,
                    std::size_t out,
                    std::size_t in,
                    std::size_t samples,
                    std::size_t ld) {
  const T* const no_bias = nullptr;
  const auto finish = [](Lanes<T> sum, T * place) __attribute__((always_inline)) {
    Unit::backward(Lanes<T>::load(place), sum).store(place);
  };
  dense_tiles(outputs, source, packed, no_bias, out, in, samples, ld, finish);
}

/// Where dense_forward and dense_backward want the element (o, i) of a matrix [out][in]: order[k]
/// becomes o * out_stride + i * in_stride for the k-th element of `packed`.
inline void dense_order(std::uint32_t* order,
                        std::size_t out,
                        std::size_t in,
                        std::size_t out_stride,
                        std::size_t in_stride) {
  for_each_tile(out, kDenseOuts, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t o = first; o < first + count; ++o) {
        *order++ = static_cast<std::uint32_t>(o * out_stride + i * in_stride);
      }
    }
  });
}

/// `sums` becomes, lane by lane, the products of left [out][S] and right [in][S] over the samples:
/// one vector of partial sums for each (o, i), in the order of outer_order().
template <class T>
void outer_product(T* sums,
                   const T* left,
                   const T* right,
                   std::size_t out,
                   std::size_t in,
                   std::size_t samples,
                   std::size_t ld) {
  using V = Lanes<T>;
  for_each_tile(out, kOuterOuts, [&](std::size_t first_out, std::size_t outs) {
    with_constant<kOuterOuts>(outs, [&]<std::size_t Outs>(Index<Outs>) {
      for_each_tile(in, kOuterIns, [&](std::size_t first_in, std::size_t ins) {
        with_constant<kOuterIns>(ins, [&]<std::size_t Ins>(Index<Ins>) {
          V acc[Outs][Ins];
#pragma GCC unroll 6
          for (std::size_t a = 0; a < Outs; ++a) {
#pragma GCC unroll 4
            for (std::size_t b = 0; b < Ins; ++b) {
              acc[a][b] = V::zero();
            }
          }
          const T* const l = left + first_out * ld;
          const T* const r = right + first_in * ld;
          GRADMILL_UNROLL_STEPS
          for (std::size_t s = 0; s < samples; s += V::kCount) {
            V x[Ins];
#pragma GCC unroll 4
            for (std::size_t b = 0; b < Ins; ++b) {
              x[b] = V::load(r + b * ld + s);
            }
#pragma GCC unroll 6
            for (std::size_t a = 0; a < Outs; ++a) {
              const V y = V::load(l + a * ld + s);
#pragma GCC unroll 4
              for (std::size_t b = 0; b < Ins; ++b) {
                acc[a][b] = fma(y, x[b], acc[a][b]);
              }
            }
          }
#pragma GCC unroll 6
          for (std::size_t a = 0; a < Outs; ++a) {
#pragma GCC unroll 4
            for (std::size_t b = 0; b < Ins; ++b) {
              acc[a][b].store(sums + (a * Ins + b) * V::kCount);
            }
          }
          sums += Outs * Ins * V::kCount;
        });
      });
    });
  });
}

/// Which element o * in + i of a matrix [out][in] the k-th vector of outer_product() belongs to.
inline void outer_order(std::uint32_t* order, std::size_t out, std::size_t in) {
  for_each_tile(out, kOuterOuts, [&](std::size_t first_out, std::size_t outs) {
    for_each_tile(in, kOuterIns, [&](std::size_t first_in, std::size_t ins) {
      for (std::size_t o = first_out; o < first_out + outs; ++o) {
        for (std::size_t i = first_in; i < first_in + ins; ++i) {
          *order++ = static_cast<std::uint32_t>(o * in + i);
        }
      }
    });
  });
}

/// As outer_product with a right side of ones: one vector of partial sums for each row of left.
template <class T>
void row_sums(T* sums, const T* left, std::size_t out, std::size_t samples, std::size_t ld) {
  using V = Lanes<T>;
  // Some rows at a time, since each sum is a chain of dependent additions.
  constexpr std::size_t kRows = 8;
  for_each_tile(out, kRows, [&](std::size_t first, std::size_t count) {
    with_constant<kRows>(count, [&]<std::size_t Rows>(Index<Rows>) {
      V sum[Rows];
#pragma GCC unroll 8
      for (std::size_t o = 0; o < Rows; ++o) {
        sum[o] = V::zero();
      }
      for (std::size_t s = 0; s < samples; s += V::kCount) {
#pragma GCC unroll 8
        for (std::size_t o = 0; o < Rows; ++o) {
          sum[o] = sum[o] + V::load(left + (first + o) * ld + s);
        }
      }
#pragma GCC unroll 8
      for (std::size_t o = 0; o < Rows; ++o) {
        sum[o].store(sums + (first + o) * V::kCount);
      }
    });
  });
}

/// totals[k] = the sum over the lanes of the k-th vector of `sums`. `count` is a multiple of the
/// lanes of a vector.
template <class T>
void reduce_sums(T* totals, const T* sums, std::size_t count) {
  using V = Lanes<T>;
  for (std::size_t first = 0; first < count; first += V::kCount) {
    V vectors[V::kCount];
#pragma GCC unroll 16
    for (std::size_t k = 0; k < V::kCount; ++k) {
      vectors[k] = V::load(sums + (first + k) * V::kCount);
    }
    tree_sums(vectors, totals + first);
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml

#undef GRADMILL_UNROLL_STEPS
