// Functions of hidden units on lanes, and their derivatives read off the outputs.
#pragma once

#include "ml/kernel/lane_math.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// max(0, sum), with -0 where the sum is below 0, so that the sign bit alone tells where the
/// derivative is 0. NaN stays NaN.
struct Relu {
  template <class T>
  [[gnu::always_inline]] static Lanes<T> forward(Lanes<T> sum) {
    return max(Lanes<T>::splat(T(-0.0)), sum);
  }
  template <class T>
  [[gnu::always_inline]] static Lanes<T> backward(Lanes<T> output, Lanes<T> delta) {
    return where_sign_clear(output, delta);
  }
};

struct Tanh {
  template <class T>
  [[gnu::always_inline]] static Lanes<T> forward(Lanes<T> sum) {
    return tanh_of(sum);
  }
  template <class T>
  [[gnu::always_inline]] static Lanes<T> backward(Lanes<T> output, Lanes<T> delta) {
    return delta * fma(Lanes<T>::zero() - output, output, Lanes<T>::splat(1));
  }
};

struct Sigmoid {
  template <class T>
  [[gnu::always_inline]] static Lanes<T> forward(Lanes<T> sum) {
    return sigmoid_of(sum);
  }
  template <class T>
  [[gnu::always_inline]] static Lanes<T> backward(Lanes<T> output, Lanes<T> delta) {
    return delta * fma(Lanes<T>::zero() - output, output, output);
  }
};

/// The sum itself forward, as in output layers. The course's Python program masks by (sum >= 0)
/// backward.
struct MlPy {
  template <class T>
  [[gnu::always_inline]] static Lanes<T> forward(Lanes<T> sum) {
    return sum;
  }
  template <class T>
  [[gnu::always_inline]] static Lanes<T> backward(Lanes<T> output, Lanes<T> delta) {
    return where_not_negative(output, delta);
  }
};

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
