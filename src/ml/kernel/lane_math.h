// Elementary functions of lanes, by our own polynomials, so that the bits do not depend on a C
// library.
#pragma once

#include "ml/kernel/lanes.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

/// Constants of the argument reductions, by precision. kExp2 are the coefficients of 2^r on
/// [-1/2, 1/2] from r^1 on: interpolation of (2^r - 1) / r at Chebyshev's nodes; the relative error
/// is 2e-7 for float and 1e-17 for double.
template <class T>
struct LaneMathConstants;
template <>
struct LaneMathConstants<float> {
  static constexpr float kRounding = 12582912.0F;  ///< 1.5 * 2^23: adding it rounds to an integer.
  static constexpr float kExpMin = -86.0F;         ///< exp of less would be subnormal.
  static constexpr float kLn2High = 0.693359375F;
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr float kExp2[] = {
      0.693147181F, 0.24022349F, 0.0555038101F, 0.00966636852F, 0.00133813025F};
  static constexpr int kLogTerms = 5;
  static constexpr std::int32_t kMantissaMask = 0x007FFFFF;
  static constexpr std::int32_t kSqrtHalfBits = 0x3F3504F3;
  static constexpr std::int32_t kRootMagic =
      0x5F375A86;  ///< First guess of 1 / sqrt (Lomont 2003).
  static constexpr int kRootSteps = 3;
};
template <>
struct LaneMathConstants<double> {
  static constexpr double kRounding = 6755399441055744.0;  ///< 1.5 * 2^52.
  static constexpr double kExpMin = -707.0;
  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kExp2[] = {0.69314718055994529,
                                     0.24022650695910097,
                                     0.055504108664821597,
                                     0.0096181291076068882,
                                     0.0013333558146416936,
                                     0.0001540353044173605,
                                     1.5252733829836119e-05,
                                     1.3215442587921689e-06,
                                     1.0178062445845774e-07,
                                     7.0725859492692234e-09,
                                     4.4549605981865186e-10};
  static constexpr int kLogTerms = 12;
  static constexpr std::int64_t kMantissaMask = 0x000FFFFFFFFFFFFF;
  static constexpr std::int64_t kSqrtHalfBits = 0x3FE6A09E667F3BCD;
  static constexpr std::int64_t kRootMagic = 0x5FE6EB50C7B537A9;
  static constexpr int kRootSteps = 4;
};

/// exp(x) for x <= 0; values below kExpMin count as kExpMin, NaN gives NaN. With x = n ln 2 + r ln
/// 2 and |r| <= 1/2, 2^r by its polynomial, times 2^n through the exponent bits. The relative error
/// grows with |x|, since log2(e) is rounded: to 20 units in the last place in float and 90 in
/// double.
template <class T>
[[gnu::always_inline]] inline Lanes<T> exp_not_positive(Lanes<T> x) {
  using C = LaneMathConstants<T>;
  using R = RegisterOf<T>;
  const auto splat = [](T value) __attribute__((always_inline)) { return Lanes<T>::splat(value); };
  x = max(splat(C::kExpMin), x);
  const Lanes<T> log2_e = splat(T(1.44269504088896340736));
  const Lanes<T> rounded = fma(x, log2_e, splat(C::kRounding));
  const Lanes<T> minus_n = splat(C::kRounding) - rounded;
  const Lanes<T> r = fma(x, log2_e, minus_n);
  constexpr int kDegree = sizeof(C::kExp2) / sizeof(T);
  Lanes<T> sum = splat(C::kExp2[kDegree - 1]);
#pragma GCC unroll 12
  for (int k = kDegree - 2; k >= 0; --k) {
    sum = fma(sum, r, splat(C::kExp2[k]));
  }
  sum = fma(sum, r, splat(1));
  for (std::size_t p = 0; p < Lanes<T>::kParts; ++p) {
    using Integer = typename Lanes<T>::Integer;
    using Register = typename Lanes<T>::Register;
    // The low bits of `rounded` are n; shifted to the exponent's place they scale by 2^n.
    const Integer power = reinterpret_cast<Integer>(rounded.part[p]) << R::kMantissaBits;
    const Integer bits = reinterpret_cast<Integer>(sum.part[p]) + power;
    sum.part[p] = reinterpret_cast<Register>(bits);
  }
  return sum;
}

/// log(y) for normal y > 0, to a few units in the last place; NaN gives NaN. y = 2^e m with m in
/// [sqrt(1/2), sqrt(2)), log(m) = 2 atanh(s) with s = (m - 1) / (m + 1), by its series.
template <class T>
[[gnu::always_inline]] inline Lanes<T> log_positive(Lanes<T> y) {
  using C = LaneMathConstants<T>;
  using R = RegisterOf<T>;
  const auto splat = [](T value) __attribute__((always_inline)) { return Lanes<T>::splat(value); };
  Lanes<T> m{};
  Lanes<T> e{};
  for (std::size_t p = 0; p < Lanes<T>::kParts; ++p) {
    using Integer = typename Lanes<T>::Integer;
    using Register = typename Lanes<T>::Register;
    const Integer shifted = reinterpret_cast<Integer>(y.part[p]) - C::kSqrtHalfBits;
    const Integer mantissa = (shifted & C::kMantissaMask) + C::kSqrtHalfBits;
    m.part[p] = reinterpret_cast<Register>(mantissa);
    e.part[p] = __builtin_convertvector(shifted >> R::kMantissaBits, Register);
  }
  const Lanes<T> s = (m - splat(1)) / (m + splat(1));
  const Lanes<T> square = s * s;
  Lanes<T> series = splat(T(1) / T(2 * C::kLogTerms + 1));
#pragma GCC unroll 12
  for (int k = C::kLogTerms - 1; k >= 0; --k) {
    series = fma(series, square, splat(T(1) / T(2 * k + 1)));
  }
  const Lanes<T> log_m = (s + s) * series;
  // m and e are numbers even if y is not; y * 0 is zero, or NaN.
  return fma(e, splat(C::kLn2High), fma(e, splat(C::kLn2Low), log_m)) + y * splat(0);
}

/// 1 / sqrt(y) for normal y > 0, to a few units in the last place: a guess from the exponent bits,
/// then Newton's steps. Cheaper than the instructions of division and root.
template <class T>
[[gnu::always_inline]] inline Lanes<T> reciprocal_root(Lanes<T> y) {
  using C = LaneMathConstants<T>;
  Lanes<T> root{};
  for (std::size_t p = 0; p < Lanes<T>::kParts; ++p) {
    using Integer = typename Lanes<T>::Integer;
    using Register = typename Lanes<T>::Register;
    const Integer half = reinterpret_cast<Integer>(y.part[p]) >> 1;
    root.part[p] = reinterpret_cast<Register>(C::kRootMagic - half);
  }
  const Lanes<T> minus_half = y * Lanes<T>::splat(T(-0.5));
#pragma GCC unroll 4
  for (int step = 0; step < C::kRootSteps; ++step) {
    root = root * fma(minus_half * root, root, Lanes<T>::splat(T(1.5)));
  }
  return root;
}

/// tanh(x), to a few units in the last place of the larger of |tanh x| and 1e-3; NaN gives NaN.
template <class T>
[[gnu::always_inline]] inline Lanes<T> tanh_of(Lanes<T> x) {
  // tanh |x| = (1 - e) / (1 + e) with e = exp(-2 |x|), with the sign of x.
  const Lanes<T> minus = Lanes<T>::zero() - x;
  const Lanes<T> size = max(x, minus);
  const Lanes<T> e = exp_not_positive(Lanes<T>::splat(T(-2)) * size);
  const Lanes<T> one = Lanes<T>::splat(1);
  const Lanes<T> value = (one - e) / (one + e);
  return where_greater(Lanes<T>::zero(), x, Lanes<T>::zero() - value, value);
}

/// 1 / (1 + exp(-x)); NaN gives NaN.
template <class T>
[[gnu::always_inline]] inline Lanes<T> sigmoid_of(Lanes<T> x) {
  const Lanes<T> minus = Lanes<T>::zero() - x;
  const Lanes<T> e = exp_not_positive(Lanes<T>::zero() - max(x, minus));
  const Lanes<T> one = Lanes<T>::splat(1);
  const Lanes<T> scale = one / (one + e);
  return where_greater(Lanes<T>::zero(), x, e * scale, scale);
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
