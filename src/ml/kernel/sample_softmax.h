// Softmax and cross-entropy with samples in lanes.
#pragma once

#include "ml/kernel/kernel_table.h"
#include "ml/kernel/lane_math.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Added to the probability before the logarithm, as the course's rule has it.
inline constexpr double kLossFloor = 1e-6;

/// Vectors of samples that softmax_loss() and largest_classes() interleave, since sums and maxima
/// are chains of dependent instructions.
inline constexpr std::size_t kSoftmaxVectors = 4;

/// softmax_loss() for the `Vectors` vectors of samples at `logits`; `valid` counts from there.
template <std::size_t Vectors, class T>
[[gnu::always_inline]] inline Lanes<T> softmax_strip(T* logits,
                                                     const std::int32_t* labels,
                                                     std::size_t classes,
                                                     std::size_t valid,
                                                     std::size_t ld,
                                                     const Targets<T>& targets) {
  using V = Lanes<T>;
  constexpr std::size_t kSamples = Vectors * V::kCount;
  V top[Vectors];
  V sum[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    top[v] = V::load(logits + v * V::kCount);
    sum[v] = V::zero();
  }
  for (std::size_t c = 1; c < classes; ++c) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      top[v] = max(top[v], V::load(logits + c * ld + v * V::kCount));
    }
  }
  for (std::size_t c = 0; c < classes; ++c) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      T* const at = logits + c * ld + v * V::kCount;
      const V exponential = exp_not_positive(V::load(at) - top[v]);
      exponential.store(at);
      sum[v] = sum[v] + exponential;
    }
  }
  alignas(kLaneBytes) T mask[kSamples];
  for (std::size_t k = 0; k < kSamples; ++k) {
    mask[k] = k < valid ? T(1) : T(0);
  }
  V scale[Vectors];
  V off[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    const V used = V::load(mask + v * V::kCount);
    scale[v] = (V::splat(T(-1)) / sum[v]) * used;
    off[v] = V::splat(targets.off) * used;
  }
  for (std::size_t c = 0; c < classes; ++c) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      T* const at = logits + c * ld + v * V::kCount;
      fma(V::load(at), scale[v], off[v]).store(at);
    }
  }
  // The label's own target, sample by sample: cheaper than a comparison for each class.
  alignas(kLaneBytes) T of_label[kSamples] = {};
  const T rise = targets.on - targets.off;
  for (std::size_t k = 0; k < kSamples && k < valid; ++k) {
    T* const delta = logits + static_cast<std::size_t>(labels[k]) * ld + k;
    of_label[k] = targets.off - *delta;
    *delta += rise;
  }
  V loss = V::zero();
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    const V floor = V::splat(T(kLossFloor));
    const V used = V::load(mask + v * V::kCount);
    loss = loss - log_positive(V::load(of_label + v * V::kCount) + floor) * used;
  }
  return loss;
}

/// Turns logits [classes][S] into targets - softmax, and returns the sum of -log(probability of the
/// label + 1e-6). Samples from `valid` on are padding, and their deltas become 0.
template <class T>
double softmax_loss(T* logits,
                    const std::int32_t* labels,
                    std::size_t classes,
                    std::size_t samples,
                    std::size_t valid,
                    std::size_t ld,
                    const Targets<T>& targets) {
  using V = Lanes<T>;
  V losses = V::zero();
  std::size_t s = 0;
  const auto rest = [&]() __attribute__((always_inline)) { return s < valid ? valid - s : 0; };
  for (; s + kSoftmaxVectors * V::kCount <= samples; s += kSoftmaxVectors * V::kCount) {
    losses = losses +
             softmax_strip<kSoftmaxVectors>(logits + s, labels + s, classes, rest(), ld, targets);
  }
  for (; s < samples; s += V::kCount) {
    losses = losses + softmax_strip<1>(logits + s, labels + s, classes, rest(), ld, targets);
  }
  return static_cast<double>(tree_sum(losses));
}

/// The largest logit of each of the `Vectors` vectors of samples at `logits`, and its index, the
/// lowest on ties.
template <std::size_t Vectors, class T>
[[gnu::always_inline]] inline void find_largest(Lanes<T> (&top)[Vectors],
                                                Lanes<T> (&chosen)[Vectors],
                                                const T* logits,
                                                std::size_t classes,
                                                std::size_t ld) {
  using V = Lanes<T>;
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    top[v] = V::load(logits + v * V::kCount);
    chosen[v] = V::zero();
  }
  for (std::size_t c = 1; c < classes; ++c) {
    const V index = V::splat(static_cast<T>(c));
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const V logit = V::load(logits + c * ld + v * V::kCount);
      chosen[v] = where_greater(logit, top[v], index, chosen[v]);
      top[v] = max(logit, top[v]);
    }
  }
}

/// Writes whole numbers as such.
template <std::size_t Vectors, class T>
[[gnu::always_inline]] inline void store_indices(std::int32_t* to,
                                                 const Lanes<T> (&chosen)[Vectors]) {
  using V = Lanes<T>;
  alignas(kLaneBytes) T indices[Vectors * V::kCount];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    chosen[v].store(indices + v * V::kCount);
  }
  for (std::size_t k = 0; k < Vectors * V::kCount; ++k) {
    to[k] = static_cast<std::int32_t>(indices[k]);
  }
}

/// largest_classes() for the `Vectors` vectors of samples at `logits`.
template <std::size_t Vectors, class T>
[[gnu::always_inline]] inline void largest_of_strip(std::int32_t* best,
                                                    const T* logits,
                                                    std::size_t classes,
                                                    std::size_t ld) {
  Lanes<T> top[Vectors];
  Lanes<T> chosen[Vectors];
  find_largest(top, chosen, logits, classes, ld);
  store_indices(best, chosen);
}

/// most_probable() for the `Vectors` vectors of samples at `logits`.
template <std::size_t Vectors, class T>
[[gnu::always_inline]] inline void most_probable_of_strip(
    std::int32_t* best, T* probability, const T* logits, std::size_t classes, std::size_t ld) {
  using V = Lanes<T>;
  V top[Vectors];
  V chosen[Vectors];
  V sum[Vectors];
  find_largest(top, chosen, logits, classes, ld);
  store_indices(best, chosen);
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    sum[v] = V::zero();
  }
  for (std::size_t c = 0; c < classes; ++c) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      sum[v] = sum[v] + exp_not_positive(V::load(logits + c * ld + v * V::kCount) - top[v]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    (V::splat(T(1)) / sum[v]).store(probability + v * V::kCount);
  }
}

/// The index of the largest logit of each sample, the lowest on ties.
template <class T>
void largest_classes(
    std::int32_t* best, const T* logits, std::size_t classes, std::size_t samples, std::size_t ld) {
  constexpr std::size_t kStrip = kSoftmaxVectors * Lanes<T>::kCount;
  std::size_t s = 0;
  for (; s + kStrip <= samples; s += kStrip) {
    largest_of_strip<kSoftmaxVectors>(best + s, logits + s, classes, ld);
  }
  for (; s < samples; s += Lanes<T>::kCount) {
    largest_of_strip<1>(best + s, logits + s, classes, ld);
  }
}

/// largest_classes(), and the probability of each by softmax.
template <class T>
void most_probable(std::int32_t* best,
                   T* probability,
                   const T* logits,
                   std::size_t classes,
                   std::size_t samples,
                   std::size_t ld) {
  constexpr std::size_t kStrip = kSoftmaxVectors * Lanes<T>::kCount;
  std::size_t s = 0;
  for (; s + kStrip <= samples; s += kStrip) {
    most_probable_of_strip<kSoftmaxVectors>(best + s, probability + s, logits + s, classes, ld);
  }
  for (; s < samples; s += Lanes<T>::kCount) {
    most_probable_of_strip<1>(best + s, probability + s, logits + s, classes, ld);
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
