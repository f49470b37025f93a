// exp and log of lanes, by our own polynomials, so that the bits do not depend on a C library.
#pragma once

#include "ml/lanes.h"

namespace gradmill::ml {

/// Constants of the argument reductions, by precision.
template <class T>
struct LaneMathConstants;
template <>
struct LaneMathConstants<float> {
  static constexpr float kRounding = 12582912.0F;  ///< 1.5 * 2^23: adding it rounds to an integer.
  static constexpr std::int32_t kRoundingBits = 0x4B400000;
  static constexpr float kExpMin = -87.0F;  ///< exp of less would be subnormal.
  static constexpr float kLn2High = 0.693359375F;
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr int kExpDegree = 7;
  static constexpr int kLogTerms = 5;
  static constexpr std::int32_t kMantissaMask = 0x007FFFFF;
  static constexpr std::int32_t kSqrtHalfBits = 0x3F3504F3;
};
template <>
struct LaneMathConstants<double> {
  static constexpr double kRounding = 6755399441055744.0;  ///< 1.5 * 2^52.
  static constexpr std::int64_t kRoundingBits = 0x4338000000000000;
  static constexpr double kExpMin = -708.0;
  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr int kExpDegree = 13;
  static constexpr int kLogTerms = 12;
  static constexpr std::int64_t kMantissaMask = 0x000FFFFFFFFFFFFF;
  static constexpr std::int64_t kSqrtHalfBits = 0x3FE6A09E667F3BCD;
};

/// 1 / n!
template <class T>
constexpr T inverse_factorial(int n) {
  T value = 1;
  for (int i = 2; i <= n; ++i) {
    value *= static_cast<T>(i);
  }
  return 1 / value;
}

/// exp(x) for x <= 0, to about one unit in the last place; values below kExpMin count as kExpMin,
/// NaN gives NaN.
/// x = n ln 2 + r with |r| <= ln 2 / 2, exp(r) by its Taylor series, times 2^n through the
/// exponent.
template <class T>
[[gnu::always_inline]] inline Lanes<T> exp_not_positive(Lanes<T> x) {
  using C = LaneMathConstants<T>;
  using R = RegisterOf<T>;
  const auto splat = [](T value) { return Lanes<T>::splat(value); };
  x = max(splat(C::kExpMin), x);
  const Lanes<T> rounded = fma(x, splat(T(1.44269504088896340736)), splat(C::kRounding));
  const Lanes<T> n = rounded - splat(C::kRounding);
  const Lanes<T> r = fma(n, splat(-C::kLn2Low), fma(n, splat(-C::kLn2High), x));
  Lanes<T> sum = splat(inverse_factorial<T>(C::kExpDegree));
  for (int k = C::kExpDegree - 1; k >= 0; --k) {
    sum = fma(sum, r, splat(inverse_factorial<T>(k)));
  }
  for (std::size_t p = 0; p < Lanes<T>::kParts; ++p) {
    using Integer = typename Lanes<T>::Integer;
    using Register = typename Lanes<T>::Register;
    const Integer power = reinterpret_cast<Integer>(rounded.part[p]) - C::kRoundingBits;
    sum.part[p] *= reinterpret_cast<Register>((power + R::kExponentBias) << R::kMantissaBits);
  }
  return sum;
}

/// log(y) for normal y > 0, to a few units in the last place; NaN gives NaN. y = 2^e m with m in
/// [sqrt(1/2), sqrt(2)), log(m) = 2 atanh(s) with s = (m - 1) / (m + 1), by its series.
template <class T>
[[gnu::always_inline]] inline Lanes<T> log_positive(Lanes<T> y) {
  using C = LaneMathConstants<T>;
  using R = RegisterOf<T>;
  const auto splat = [](T value) { return Lanes<T>::splat(value); };
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
  for (int k = C::kLogTerms - 1; k >= 0; --k) {
    series = fma(series, square, splat(T(1) / T(2 * k + 1)));
  }
  const Lanes<T> log_m = (s + s) * series;
  // m and e are numbers even if y is not; y * 0 is zero, or NaN.
  return fma(e, splat(C::kLn2High), fma(e, splat(C::kLn2Low), log_m)) + y * splat(0);
}

}  // namespace gradmill::ml
