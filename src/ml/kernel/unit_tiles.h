// Units in lanes: register-tiled products over a batch of samples, for wide layers.
//
// Matrices of samples lie in panels of kPanelUnits units (UnitPanels), units in lanes and padded
// with zeros to whole vectors: so does a gradient, which walks down a few columns of them, stay on
// few pages. A weight matrix of a layer lies in panels of kPanelUnits outputs: [panel][in][width],
// the last panel as wide as the vectors that are left. `vectors` counts the vectors of a layer's
// outputs. Each element is one chain of fused multiply-adds in the order of its inputs, or of the
// samples for gradients, so neither tiles nor threads can change its bits.
#pragma once

#include "ml/kernel/sample_softmax.h"
#include "ml/kernel/tile_loops.h"
#include "ml/kernel/transpose.h"
#include "ml/kernel/unit_function.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Vectors of a tile and of a panel of kPanelUnits. Accumulators, a row of weights and an input
/// fill the registers.
inline constexpr std::size_t kPanelVectors = 4;
inline constexpr std::size_t kTileVectors = kRegisterBytes == 64 ? 4 : 1;
inline constexpr std::size_t kTileAccumulators = kRegisterBytes == 64   ? 24
                                                 : kRegisterBytes == 32 ? 6
                                                                        : 3;
/// Inputs taken at a time, in whole panels, and samples of a gradient: that part of a panel of
/// weights, or of deltas, stays in the second-level cache while the tiles stream through it.
inline constexpr std::size_t kProductDepth = 1024;
inline constexpr std::size_t kGradientDepth = 256;
/// Rows of the right side that are fetched ahead: the hardware starts anew at each tile.
inline constexpr std::size_t kRowsAhead = 8;

/// The order in which a tile walks through its left matrix.
enum class Walk {
  kRows,     ///< Row r of the tile is row r of the matrix; the depth runs along it.
  kColumns,  ///< Row r of the tile is column r, all in one panel; the depth runs down the rows.
};

/// The right side: [depth][ld] from `at` on.
template <class T>
struct RightSide {
  const T* at;
  std::size_t ld;
};

/// acc[r][v] += sum over k < depth of a(r, k) * w[k][v], with a(r, k) = a[r * lda + k], or
/// a[k * lda + r] by columns.
template <Walk walk, std::size_t Rows, std::size_t Vectors, class T>
[[gnu::always_inline]] inline void accumulate_panel(Lanes<T> (&acc)[Rows][Vectors],
                                                    const T* a,
                                                    std::size_t lda,
                                                    const RightSide<T>& w,
                                                    std::size_t depth) {
  using V = Lanes<T>;
  for (std::size_t k = 0; k < depth; ++k) {
    const T* const from = w.at + k * w.ld;
    V row[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      if constexpr (Vectors == kTileVectors) {
        __builtin_prefetch(from + kRowsAhead * w.ld + v * V::kCount);
      }
      row[v] = V::load(from + v * V::kCount);
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
}

/// c [Rows][Vectors] = start + sum over k < depth of a(r, k) * w[k][v]; `start` is c itself if
/// `resume`, else the vector `bias`, or zero where that is null.
template <std::size_t Rows, std::size_t Vectors, Walk walk, class T>
[[gnu::always_inline]] inline void panel_tile(T* c,
                                              std::size_t ldc,
                                              const UnitPanels<const T>& a,
                                              RightSide<T> w,
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
  if constexpr (walk == Walk::kColumns) {
    accumulate_panel<walk>(acc, a.at, a.row, w, depth);
  } else {
    const T* at = a.at;
    for (std::size_t left = depth; left > 0; at += a.panel) {
      const std::size_t inputs = left < kPanelUnits<T> ? left : kPanelUnits<T>;
      accumulate_panel<walk>(acc, at, a.row, w, inputs);
      w.at += inputs * w.ld;
      left -= inputs;
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
                   const UnitPanels<const T>& a,
                   const RightSide<T>& w,
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
          const std::size_t offset = first * (walk == Walk::kRows ? a.row : 1);
          panel_tile<Rows, Vectors, walk>(c + first * ldc + lane,
                                          ldc,
                                          UnitPanels<const T>{a.at + offset, a.row, a.panel},
                                          RightSide<T>{w.at + lane, w.ld},
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

/// panel [rows][width] = bias + source [rows][in] * weights [in][width], for one panel of `width`
/// vectors. `bias` may be null for zero.
template <class T>
[[gnu::noinline]] void one_panel_product(T* panel,
                                         std::size_t ld,
                                         const UnitPanels<const T>& source,
                                         const T* weights,
                                         const T* bias,
                                         std::size_t width,
                                         std::size_t in,
                                         std::size_t rows) {
  static_assert(kProductDepth % kPanelUnits<T> == 0);
  const std::size_t units = width * Lanes<T>::kCount;
  for (std::size_t first = 0; first < in; first += kProductDepth) {
    const std::size_t left = in - first;
    panel_product<Walk::kRows>(
        panel,
        ld,
        rows,
        UnitPanels<const T>{
            source.at + first / kPanelUnits<T> * source.panel, source.row, source.panel},
        RightSide<T>{weights + first * units, units},
        width,
        left < kProductDepth ? left : kProductDepth,
        bias,
        first > 0);
  }
}

/// target [rows][vectors] = bias + source [rows][in] * weights, in panels; then calls
/// finish(panel, width), while it is still in the cache.
template <class T, class Finish>
[[gnu::always_inline]] inline void panels_product(const UnitPanels<T>& target,
                                                  const UnitPanels<const T>& source,
                                                  const T* weights,
                                                  const T* bias,
                                                  const LayerSize& size,
                                                  const Finish& finish) {
  for_each_panel<T>(size.vectors, [&](std::size_t unit, std::size_t width) {
    T* const panel = target.at + unit / kPanelUnits<T> * target.panel;
    one_panel_product(panel,
                      target.row,
                      source,
                      weights + unit * size.in,
                      bias != nullptr ? bias + unit : nullptr,
                      width,
                      size.in,
                      size.rows);
    finish(panel, width);
  });
}

/// target [rows][vectors] = Unit(bias + source [rows][in] * weights).
template <class Unit, class T>
void unit_forward(const UnitPanels<T>& target,
                  const UnitPanels<const T>& source,
                  const T* weights,
                  const T* bias,
                  const LayerSize& size) {
  using V = Lanes<T>;
  const auto apply = [&](T* panel, std::size_t width) {
    if constexpr (std::is_same_v<Unit, MlPy>) {
      return;
    }
    for (std::size_t row = 0; row < size.rows; ++row) {
      for (std::size_t v = 0; v < width; ++v) {
        T* const at = panel + row * target.row + v * V::kCount;
        Unit::forward(V::load(at)).store(at);
      }
    }
  };
  panels_product(target, source, weights, bias, size, apply);
}

/// outputs [rows][vectors] = the derivative of Unit at them, times source [rows][in] * weights.
/// `scratch` has room for one panel of the rows.
template <class Unit, class T>
void unit_backward(const UnitPanels<T>& outputs,
                   T* scratch,
                   const UnitPanels<const T>& source,
                   const T* weights,
                   const LayerSize& size) {
  using V = Lanes<T>;
  const T* const no_bias = nullptr;
  T* output = outputs.at;
  const auto apply = [&](const T* sums, std::size_t width) {
    for (std::size_t row = 0; row < size.rows; ++row) {
      for (std::size_t v = 0; v < width; ++v) {
        T* const at = output + row * outputs.row + v * V::kCount;
        Unit::backward(V::load(at), V::load(sums + row * outputs.row + v * V::kCount)).store(at);
      }
    }
    output += outputs.panel;
  };
  const UnitPanels<T> same_panel = {scratch, outputs.row, 0};
  panels_product(same_panel, source, weights, no_bias, size, apply);
}

/// The gradient of `inputs` rows of one panel of weights, [inputs][units]: the sum over the samples
/// of source(sample, input) * delta(sample, unit), added to what is there if `resume`. The inputs
/// are in one panel, as the units are; `lds` and `ldd` are from row to row of these.
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
  for_each_tile(rows, kGradientDepth, [&](std::size_t first, std::size_t depth) {
    const T* const no_bias = nullptr;
    panel_product<Walk::kColumns>(gradient,
                                  units,
                                  inputs,
                                  UnitPanels<const T>{source + first * lds, lds, 0},
                                  RightSide<T>{delta + first * ldd, ldd},
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
                        const UnitPanels<const T>& delta,
                        std::size_t vectors,
                        std::size_t rows,
                        bool resume) {
  using V = Lanes<T>;
  for_each_panel<T>(vectors, [&](std::size_t unit, std::size_t width) {
    const T* const panel = delta.at + unit / kPanelUnits<T> * delta.panel;
    for (std::size_t v = 0; v < width; ++v) {
      T* const at = gradient + unit + v * V::kCount;
      V sum = resume ? V::load(at) : V::zero();
      for (std::size_t row = 0; row < rows; ++row) {
        sum = sum + V::load(panel + row * delta.row + v * V::kCount);
      }
      sum.store(at);
    }
  });
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

/// softmax_loss() for logits [rows][vectors]. Rows up to the next whole vector are there and count
/// as padding. `scratch` has kSoftmaxColumns elements for each padded class.
template <class T>
double unit_softmax(const UnitPanels<T>& logits,
                    T* scratch,
                    const std::int32_t* labels,
                    std::size_t classes,
                    std::size_t rows,
                    const Targets<T>& targets) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  constexpr std::size_t kColumns = kSoftmaxColumns<T>;
  const std::size_t vectors = (classes + kCount - 1) / kCount;
  double loss = 0;
  for (std::size_t first = 0; first < rows; first += kColumns) {
    const std::size_t left = rows - first;
    const std::size_t valid = left < kColumns ? left : kColumns;
    const std::size_t samples = (valid + kCount - 1) / kCount * kCount;
    T* strip = logits.at + first * logits.row;
    for_each_panel<T>(vectors, [&](std::size_t unit, std::size_t width) {
      transpose(scratch + unit * kColumns, kColumns, strip, logits.row, samples, width * kCount);
      strip += logits.panel;
    });
    loss += softmax_loss(scratch, labels + first, classes, samples, valid, kColumns, targets);
    strip = logits.at + first * logits.row;
    for_each_panel<T>(vectors, [&](std::size_t unit, std::size_t width) {
      transpose(strip, logits.row, scratch + unit * kColumns, kColumns, width * kCount, samples);
      strip += logits.panel;
    });
  }
  return loss;
}

/// Calls f(strip, first) for each vector of rows of logits [rows][vectors], transposed in `scratch`
/// to [classes][a vector of rows].
template <class T, class F>
[[gnu::always_inline]] inline void for_each_strip_of_rows(const UnitPanels<const T>& logits,
                                                          T* scratch,
                                                          std::size_t classes,
                                                          std::size_t rows,
                                                          const F& f) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  for (std::size_t first = 0; first < rows; first += kCount) {
    const T* strip = logits.at + first * logits.row;
    for_each_panel<T>((classes + kCount - 1) / kCount, [&](std::size_t unit, std::size_t width) {
      transpose(scratch + unit * kCount, kCount, strip, logits.row, kCount, width * kCount);
      strip += logits.panel;
    });
    f(scratch, first);
  }
}

/// largest_classes() for logits [rows][vectors]; see unit_softmax(). `best` has room for whole
/// vectors of rows.
template <class T>
void unit_largest_classes(std::int32_t* best,
                          const UnitPanels<const T>& logits,
                          T* scratch,
                          std::size_t classes,
                          std::size_t rows) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  for_each_strip_of_rows(logits, scratch, classes, rows, [&](const T* strip, std::size_t first) {
    largest_classes(best + first, strip, classes, kCount, kCount);
  });
}

/// most_probable() likewise; `probability` has room for whole vectors of rows too.
template <class T>
void unit_most_probable(std::int32_t* best,
                        T* probability,
                        const UnitPanels<const T>& logits,
                        T* scratch,
                        std::size_t classes,
                        std::size_t rows) {
  constexpr std::size_t kCount = Lanes<T>::kCount;
  for_each_strip_of_rows(logits, scratch, classes, rows, [&](const T* strip, std::size_t first) {
    most_probable(best + first, probability + first, strip, classes, kCount, kCount);
  });
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
