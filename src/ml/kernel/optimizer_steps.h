// The optimisers' steps over flat blocks. `descent` is minus the gradient of the summed loss, and
// `scale` makes it the mean; sizes are whole vectors.
#pragma once

#include "ml/kernel/kernel_table.h"
#include "ml/kernel/lane_math.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// p = keep * p + step * descent.
template <class T>
void sgd_step(T* p, const T* descent, std::size_t size, T step, T keep) {
  using V = Lanes<T>;
  for (std::size_t k = 0; k < size; k += V::kCount) {
    const V old = V::load(p + k) * V::splat(keep);
    fma(V::splat(step), V::load(descent + k), old).store(p + k);
  }
}

/// Nesterov's momentum: v = momentum * v + d; p = keep * p + eta * (d + momentum * v).
template <class T>
void momentum_step(
    T* p, T* velocity, const T* descent, std::size_t size, T scale, T eta, T keep, T momentum) {
  using V = Lanes<T>;
  const V factor = V::splat(momentum);
  for (std::size_t k = 0; k < size; k += V::kCount) {
    const V d = V::load(descent + k) * V::splat(scale);
    const V v = fma(factor, V::load(velocity + k), d);
    v.store(velocity + k);
    const V old = V::load(p + k) * V::splat(keep);
    fma(V::splat(eta), fma(factor, v, d), old).store(p + k);
  }
}

/// Adam: m and v are the moving averages of d and d * d; p = keep * p + rate * m / sqrt(v + floor).
template <class T>
void adam_step(
    T* p, T* first, T* second, const T* descent, std::size_t size, const AdamStep<T>& step) {
  using V = Lanes<T>;
  const V b1 = V::splat(step.beta1);
  const V b2 = V::splat(step.beta2);
  const V rest1 = V::splat(1 - step.beta1);
  const V rest2 = V::splat(1 - step.beta2);
  for (std::size_t k = 0; k < size; k += V::kCount) {
    const V d = V::load(descent + k) * V::splat(step.scale);
    const V m = fma(b1, V::load(first + k), rest1 * d);
    const V v = fma(b2, V::load(second + k), rest2 * (d * d));
    m.store(first + k);
    v.store(second + k);
    const V move = (V::splat(step.rate) * m) * reciprocal_root(v + V::splat(step.floor));
    fma(V::load(p + k), V::splat(step.keep), move).store(p + k);
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
