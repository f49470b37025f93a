// Samples in SIMD lanes: 64 bytes of float (16 lanes) or double (8), whatever the machine has.
//
// Every operation is one IEEE operation a lane, and sums across lanes have one fixed order, so that
// AVX-512, AVX2 and plain builds give the same bits.
//
// Files that include this are compiled once for each instruction set, so all that they define lies
// in a namespace of that set, and they use nothing of std that could become a function of its own:
// the linker may keep any one copy of such a function for the whole program.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ml/kernel/isa.h"

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

namespace gradmill::ml {
inline namespace GRADMILL_ISA {

#if defined(__AVX512F__)
inline constexpr std::size_t kRegisterBytes = 64;
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr std::size_t kRegisterBytes = 32;
#else
inline constexpr std::size_t kRegisterBytes = 16;
#endif

/// The compiler's vector types: one machine register of T, and of integers as wide as T.
template <class T>
struct RegisterOf;
template <>
struct RegisterOf<float> {
  using Value [[gnu::vector_size(kRegisterBytes)]] = float;
  using Integer [[gnu::vector_size(kRegisterBytes)]] = std::int32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr std::int32_t kExponentBias = 127;
};
template <>
struct RegisterOf<double> {
  using Value [[gnu::vector_size(kRegisterBytes)]] = double;
  using Integer [[gnu::vector_size(kRegisterBytes)]] = std::int64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr std::int64_t kExponentBias = 1023;
};

/// x * y + z with one rounding.
template <class R>
[[gnu::always_inline]] inline R fused_multiply_add(R x, R y, R z) {
  using T = std::remove_cvref_t<decltype(x[0])>;
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return _mm512_fmadd_ps(x, y, z);
  } else {
    return _mm512_fmadd_pd(x, y, z);
  }
#elif defined(__AVX2__) && defined(__FMA__)
  if constexpr (sizeof(T) == 4) {
    return _mm256_fmadd_ps(x, y, z);
  } else {
    return _mm256_fmadd_pd(x, y, z);
  }
#else
  for (std::size_t i = 0; i < sizeof(R) / sizeof(T); ++i) {
    z[i] = std::fma(x[i], y[i], z[i]);
  }
  return z;
#endif
}

/// 64 bytes of lanes. A value type; every operator works lane by lane.
template <class T>
struct Lanes {
  using Register = typename RegisterOf<T>::Value;
  using Integer = typename RegisterOf<T>::Integer;
  static constexpr std::size_t kCount = kLaneBytes / sizeof(T);
  static constexpr std::size_t kParts = kLaneBytes / kRegisterBytes;
  static constexpr std::size_t kPerPart = kCount / kParts;

  Register part[kParts];

  /// `from` and `to` are aligned to 64 bytes.
  static Lanes load(const T* from) {
    Lanes lanes{};
    for (std::size_t p = 0; p < kParts; ++p) {
      lanes.part[p] = *reinterpret_cast<const Register*>(from + p * kPerPart);
    }
    return lanes;
  }
  void store(T* to) const {
    for (std::size_t p = 0; p < kParts; ++p) {
      *reinterpret_cast<Register*>(to + p * kPerPart) = part[p];
    }
  }
  static Lanes splat(T value) {
    Lanes lanes{};
    // Minus keeps the sign of a zero: -0 + 0 would be +0.
    for (Register& p : lanes.part) {
      p = value - Register{};
    }
    return lanes;
  }
  static Lanes zero() {
    Lanes lanes{};
    for (Register& p : lanes.part) {
      p = Register{};
    }
    return lanes;
  }

  friend Lanes operator+(Lanes a, Lanes b) {
    return each([](Register x, Register y) { return x + y; }, a, b);
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    return each([](Register x, Register y) { return x - y; }, a, b);
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    return each([](Register x, Register y) { return x * y; }, a, b);
  }
  friend Lanes operator/(Lanes a, Lanes b) {
    return each([](Register x, Register y) { return x / y; }, a, b);
  }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) {
    for (std::size_t p = 0; p < kParts; ++p) {
      c.part[p] = fused_multiply_add(a.part[p], b.part[p], c.part[p]);
    }
    return c;
  }
  /// a where a > b, else b: b if either is NaN.
  friend Lanes max(Lanes a, Lanes b) {
    return each([](Register x, Register y) { return x > y ? x : y; }, a, b);
  }
  /// `value` where x >= 0, else 0.
  friend Lanes where_not_negative(Lanes x, Lanes value) {
    return each([](Register c, Register v) { return c >= Register{} ? v : Register{}; }, x, value);
  }
  /// `value` where the sign bit of x is clear, else 0.
  friend Lanes where_sign_clear(Lanes x, Lanes value) {
    for (std::size_t p = 0; p < kParts; ++p) {
      const Integer bits = reinterpret_cast<Integer>(x.part[p]);
      value.part[p] = bits >= Integer{} ? value.part[p] : Register{};
    }
    return value;
  }
  /// `yes` where a > b, else `no`.
  friend Lanes where_greater(Lanes a, Lanes b, Lanes yes, Lanes no) {
    for (std::size_t p = 0; p < kParts; ++p) {
      no.part[p] = a.part[p] > b.part[p] ? yes.part[p] : no.part[p];
    }
    return no;
  }
  /// Sum over the lanes as a balanced tree: lane i with lane i + n/2, and so on.
  friend T tree_sum(Lanes a) {
    alignas(kLaneBytes) T values[kCount];
    a.store(values);
    for (std::size_t half = kCount / 2; half >= 1; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) {
        values[i] += values[i + half];
      }
    }
    return values[0];
  }

 private:
  template <class F>
  static Lanes each(F f, Lanes a, Lanes b) {
    for (std::size_t p = 0; p < kParts; ++p) {
      a.part[p] = f(a.part[p], b.part[p]);
    }
    return a;
  }
};

/// One level of tree_sum for two vectors at once. Takes groups of 2 * Half lanes, those of `a` and
/// then those of `b`, and adds the two halves of each.
template <std::size_t Half, class T>
[[gnu::always_inline]] inline Lanes<T> add_halves(const Lanes<T>& a, const Lanes<T>& b) {
  constexpr std::size_t kParts = Lanes<T>::kParts;
  constexpr std::size_t kPerPart = Lanes<T>::kPerPart;
  typename Lanes<T>::Register parts[2 * kParts];
  for (std::size_t p = 0; p < kParts; ++p) {
    parts[p] = a.part[p];
    parts[kParts + p] = b.part[p];
  }
  Lanes<T> sums{};
  for (std::size_t p = 0; p < kParts; ++p) {
    if constexpr (Half >= kPerPart) {
      constexpr std::size_t kHalfParts = Half / kPerPart;
      const std::size_t low = p / kHalfParts * 2 * kHalfParts + p % kHalfParts;
      sums.part[p] = parts[low] + parts[low + kHalfParts];
    } else {
      sums.part[p] = [&]<int... I>(std::integer_sequence<int, I...>) {
        constexpr int kHalf = static_cast<int>(Half);
        const auto x = parts[2 * p];
        const auto y = parts[2 * p + 1];
        return __builtin_shufflevector(x, y, (I / kHalf * 2 * kHalf + I % kHalf)...) +
               __builtin_shufflevector(x, y, (I / kHalf * 2 * kHalf + I % kHalf + kHalf)...);
      }
      (std::make_integer_sequence<int, static_cast<int>(kPerPart)>{});
    }
  }
  return sums;
}

/// totals[k] = tree_sum(sums[k]) for N vectors, N a power of two and at least their lanes, in the
/// same order of additions. Each level halves the number of vectors; at Half = 1 they are totals.
/// `totals` is aligned to 64 bytes.
template <class T, std::size_t N, std::size_t Half = Lanes<T>::kCount / 2>
[[gnu::always_inline]] inline void tree_sums(const Lanes<T> (&sums)[N], T* totals) {
  Lanes<T> halves[N / 2];
#pragma GCC unroll 16
  for (std::size_t k = 0; k < N / 2; ++k) {
    halves[k] = add_halves<Half>(sums[2 * k], sums[2 * k + 1]);
  }
  if constexpr (Half > 1) {
    tree_sums<T, N / 2, Half / 2>(halves, totals);
  } else {
    for (std::size_t k = 0; k < N / 2; ++k) {
      halves[k].store(totals + k * Lanes<T>::kCount);
    }
  }
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
