// Units in lanes: register-tiled products over a batch of samples, for wide layers.
//
// Matrices of samples are row-major [samples][ld], a row's units in lanes and padded with zeros to
// whole vectors. A weight matrix of a layer lies in panels of kPanelUnits outputs:
// [panel][in][width], the last panel as wide as the vectors that are left. `vectors` counts the
// vectors of a layer's outputs. Each element is one chain of fused multiply-adds in the order of
// its inputs, or of the samples for gradients, so neither tiles nor threads can change its bits.
#pragma once

#include "ml/kernel/sample_softmax.h"
#include "ml/kernel/tile_loops.h"
#include "ml/kernel/unit_function.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Vectors of a tile and of a panel. Accumulators, a row of weights and an input fill the
/// registers.
inline constexpr std::size_t kPanelVectors = 4;
inline constexpr std::size_t kTileVectors = kRegisterBytes == 64 ? 4 : 1;
inline constexpr std::size_t kTileAccumulators = kRegisterBytes == 64   ? 24
                                                 : kRegisterBytes == 32 ? 6
                                                                        : 3;
/// Inputs, or samples, taken at a time: that part of a panel stays in the first-level cache.
inline constexpr std::size_t kDepth = 128;

/// The order in which a tile walks through its left matrix.
enum class Walk {
  kRows,     ///< Row r of the tile is row r of the matrix; the depth runs along it.
  kColumns,  ///< Row r of the tile is column r; the depth runs down the rows.
};

/// c [Rows][Vectors] = start + sum over k < depth of a(r, k) * w[k][v]; `start` is c itself if
/// `resume`, else the vector `bias`, or zero where that is null.
template <std::size_t Rows, std::size_t Vectors, Walk walk, class T>
[[gnu::always_inline]] inline void panel_tile(T* c,
                                              std::size_t ldc,
                                              const T* a,
                                              std::size_t lda,
                                              const T* w,
                                              std::size_t ldw,
                                              std::size_t depth,
                                              const T* bias,
                                              bool resume) {
  using V = Lanes<T>;
  V acc[Rows][Vectors];
#pragma GCC unroll 24
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      if (resume) {
        acc[r][v] = V::load(c + r * ldc + v * V::kCount);
      } else {
        acc[r][v] = bias != nullptr ? V::load(bias + v * V::kCount) : V::zero();
      }
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    V row[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      row[v] = V::load(w + k * ldw + v * V::kCount);
    }
#pragma GCC unroll 24
    for (std::size_t r = 0; r < Rows; ++r) {
      const V x = V::splat(walk == Walk::kRows ? a[r * lda + k] : a[k * lda + r]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        acc[r][v] = fma(x, row[v], acc[r][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      acc[r][v].store(c + r * ldc + v * V::kCount);
    }
  }
}

/// panel_tile() over all `rows` of a panel of `vectors` vectors, at most kPanelVectors.
template <Walk walk, class T>
void panel_product(T* c,
                   std::size_t ldc,
                   std::size_t rows,
                   const T* a,
                   std::size_t lda,
                   const T* w,
                   std::size_t ldw,
                   std::size_t vectors,
                   std::size_t depth,
                   const T* bias,
                   bool resume) {
  using V = Lanes<T>;
  for_each_tile(vectors, kTileVectors, [&](std::size_t first_vector, std::size_t count) {
    with_constant<kTileVectors>(count, [&]<std::size_t Vectors>(Index<Vectors>) {
      constexpr std::size_t kRowsMost = std::size_t{12} < kTileAccumulators / Vectors
                                            ? std::size_t{12}
                                            : kTileAccumulators / Vectors;
      const std::size_t lane = first_vector * V::kCount;
      for_each_tile(rows, kRowsMost, [&](std::size_t first, std::size_t tile_rows) {
        with_constant<kRowsMost>(tile_rows, [&]<std::size_t Rows>(Index<Rows>) {
          panel_tile<Rows, Vectors, walk>(c + first * ldc + lane,
                                          ldc,
                                          a + first * (walk == Walk::kRows ? lda : 1),
                                          lda,
                                          w + lane,
                                          ldw,
                                          depth,
                                          bias != nullptr ? bias + lane : nullptr,
                                          resume);
        });
      });
    });
  });
}

/// Calls f(first unit, vectors) for each panel of a layer with `vectors` vectors of outputs.
template <class T, class F>
[[gnu::always_inline]] inline void for_each_panel(std::size_t vectors, const F& f) {
  for (std::size_t first = 0; first < vectors; first += kPanelVectors) {
    const std::size_t left = vectors - first;
    f(first * Lanes<T>::kCount, left < kPanelVectors ? left : kPanelVectors);
  }
}

/// target [rows][vectors] = bias + source [rows][in] * weights, in panels, before any function.
template <class T>
void panels_product(T* target,
                    std::size_t ldt,
                    const T* source,
                    std::size_t lds,
                    const T* weights,
                    const T* bias,
                    std::size_t vectors,
                    std::size_t in,
                    std::size_t rows) {
  for_each_panel<T>(vectors, [&](std::size_t unit, std::size_t width) {
    const std::size_t units = width * Lanes<T>::kCount;
    const T* const panel = weights + unit * in;
    for_each_tile(in, kDepth, [&](std::size_t first, std::size_t depth) {
      panel_product<Walk::kRows>(target + unit,
                                 ldt,
                                 rows,
                                 source + first,
                                 lds,
                                 panel + first * units,
                                 units,
                                 width,
                                 depth,
                                 bias != nullptr ? bias + unit : nullptr,
                                 first > 0);
    });
  });
}

/// target [rows][vectors] = Unit(target).
template <class Unit, class T>
void apply_forward(T* target, std::size_t ldt, std::size_t vectors, std::size_t rows) {
  using V = Lanes<T>;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t v = 0; v < vectors; ++v) {
      T* const at = target + row * ldt + v * V::kCount;
      Unit::forward(V::load(at)).store(at);
    }
  }
}

/// outputs [rows][vectors] = the derivative of Unit at them, times `sums`, of the same shape.
template <class Unit, class T>
void apply_backward(
    T* outputs, std::size_t ld, const T* sums, std::size_t vectors, std::size_t rows) {
  using V = Lanes<T>;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t v = 0; v < vectors; ++v) {
      T* const at = outputs + row * ld + v * V::kCount;
      Unit::backward(V::load(at), V::load(sums + row * ld + v * V::kCount)).store(at);
    }
  }
}

/// The gradient of `inputs` rows of one panel, [inputs][units]: the sum over the samples of
/// source(sample, input) * delta(sample, unit), added to what is there if `resume`.
template <class T>
void unit_gradient(T* gradient,
                   std::size_t units,
                   const T* delta,
                   std::size_t ldd,
                   const T* source,
                   std::size_t lds,
                   std::size_t inputs,
                   std::size_t rows,
                   bool resume) {
  for_each_tile(rows, kDepth, [&](std::size_t first, std::size_t depth) {
    const T* const no_bias = nullptr;
    panel_product<Walk::kColumns>(gradient,
                                  units,
                                  inputs,
                                  source + first * lds,
                                  lds,
                                  delta + first * ldd,
                                  ldd,
                                  units / Lanes<T>::kCount,
                                  depth,
                                  no_bias,
                                  resume || first > 0);
  });
}

/// The gradient of the biases: the sum of delta [rows][vectors] over the samples, added to what is
/// there if `resume`.
template <class T>
void unit_bias_gradient(T* gradient,
                        const T* delta,
                        std::size_t ldd,
                        std::size_t vectors,
                        std::size_t rows,
                        bool resume) {
  using V = Lanes<T>;
  for (std::size_t v = 0; v < vectors; ++v) {
    V sum = resume ? V::load(gradient + v * V::kCount) : V::zero();
    for (std::size_t row = 0; row < rows; ++row) {
      sum = sum + V::load(delta + row * ldd + v * V::kCount);
    }
    sum.store(gradient + v * V::kCount);
  }
}

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

/// The weights of a layer for the way back: from panels over the outputs, [panel][in][width], to
/// panels over the inputs, [panel][out][width]. Writes up to a vector of rows beyond the last
/// panel.
template <class T>
void transpose_panels(T* to, const T* from, std::size_t out, std::size_t in) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  const std::size_t in_vectors = (in + kCount - 1) / kCount;
  const std::size_t out_vectors = (out + kCount - 1) / kCount;
  // Rows of padded outputs spill into the next panel over the inputs, which then overwrites them.
  for_each_panel<T>(in_vectors, [&](std::size_t input, std::size_t in_width) {
    const std::size_t inputs = in_width * kCount;
    const std::size_t whole = (in - input < inputs ? in - input : inputs) / kCount * kCount;
    for_each_panel<T>(out_vectors, [&](std::size_t unit, std::size_t width) {
      const std::size_t units = width * kCount;
      T* const target = to + input * out + unit * inputs;
      const T* const source = from + unit * in + input * units;
      transpose(target, inputs, source, units, whole, units);
      for (std::size_t i = whole; i < inputs; ++i) {
        for (std::size_t o = 0; o < units; ++o) {
          target[o * inputs + i] = input + i < in ? source[i * units + o] : T(0);
        }
      }
    });
  });
}

static_assert(kPanelUnits<float> == kPanelVectors * Lanes<float>::kCount);
static_assert(kSoftmaxColumns<float> == kSoftmaxVectors * Lanes<float>::kCount);

/// softmax_loss() for logits [rows][vectors], row-major. Rows up to the next whole vector are there
/// and count as padding. `scratch` has kSoftmaxColumns elements for each padded class.
template <class T>
double unit_softmax(T* logits,
                    std::size_t ld,
                    T* scratch,
                    const std::int32_t* labels,
                    std::size_t classes,
                    std::size_t rows,
                    const Targets<T>& targets) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  const std::size_t columns = (classes + kCount - 1) / kCount * kCount;
  double loss = 0;
  for (std::size_t first = 0; first < rows; first += kSoftmaxColumns<T>) {
    const std::size_t left = rows - first;
    const std::size_t valid = left < kSoftmaxColumns<T> ? left : kSoftmaxColumns<T>;
    const std::size_t samples = (valid + kCount - 1) / kCount * kCount;
    T* const strip = logits + first * ld;
    transpose(scratch, kSoftmaxColumns<T>, strip, ld, samples, columns);
    loss +=
        softmax_loss(scratch, labels + first, classes, samples, valid, kSoftmaxColumns<T>, targets);
    transpose(strip, ld, scratch, kSoftmaxColumns<T>, columns, samples);
  }
  return loss;
}

/// largest_classes() for logits [rows][vectors], row-major; see unit_softmax(). `best` has room for
/// whole vectors of rows.
template <class T>
void unit_largest_classes(std::int32_t* best,
                          const T* logits,
                          std::size_t ld,
                          T* scratch,
                          std::size_t classes,
                          std::size_t rows) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  const std::size_t columns = (classes + kCount - 1) / kCount * kCount;
  for (std::size_t first = 0; first < rows; first += kCount) {
    transpose(scratch, kCount, logits + first * ld, ld, kCount, columns);
    largest_classes(best + first, scratch, classes, kCount, kCount);
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
