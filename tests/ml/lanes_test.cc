#include "ml/kernel/lanes.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

template <class T>
class LanesTest : public testing::Test {
 protected:
  static constexpr std::size_t kCount = Lanes<T>::kCount;
  static constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();

  struct alignas(kLaneBytes) Values : std::array<T, kCount> {};

  static Values values_of(Lanes<T> lanes) {
    Values values;
    lanes.store(values.data());
    return values;
  }
  static T first_of(Lanes<T> lanes) { return values_of(lanes)[0]; }
  static Lanes<T> splat(T value) { return Lanes<T>::splat(value); }

  /// Lanes of magnitudes 2^-12 to 2^12, so that every order of additions has a sum of its own.
  Values random_values() {
    Values values;
    for (T& value : values) {
      value = static_cast<T>(draw_.between(-1, 1) * std::exp2(draw_.between(-12, 12)));
    }
    return values;
  }

 private:
  Draw draw_{11};
};
TYPED_TEST_SUITE(LanesTest, Precisions, PrecisionNames);

TYPED_TEST(LanesTest, HoldSixtyFourBytes) {
  EXPECT_EQ(sizeof(Lanes<TypeParam>), 64);
  EXPECT_EQ(TestFixture::kCount * sizeof(TypeParam), 64);
}

TYPED_TEST(LanesTest, ComputeLaneByLane) {
  using L = Lanes<TypeParam>;
  for (int repeat = 0; repeat < 100; ++repeat) {
    const auto a = this->random_values();
    const auto b = this->random_values();
    const auto c = this->random_values();
    const L x = L::load(a.data());
    const L y = L::load(b.data());
    const L z = L::load(c.data());
    for (std::size_t i = 0; i < TestFixture::kCount; ++i) {
      EXPECT_EQ(this->values_of(x + y)[i], a[i] + b[i]);
      EXPECT_EQ(this->values_of(x - y)[i], a[i] - b[i]);
      EXPECT_EQ(this->values_of(x * y)[i], a[i] * b[i]);
      EXPECT_EQ(this->values_of(x / y)[i], a[i] / b[i]);
      EXPECT_EQ(this->values_of(fma(x, y, z))[i], std::fma(a[i], b[i], c[i]));
      EXPECT_EQ(this->values_of(max(x, y))[i], std::fmax(a[i], b[i]));
      EXPECT_EQ(this->values_of(where_not_negative(x, y))[i], a[i] >= 0 ? b[i] : 0);
      EXPECT_EQ(this->values_of(where_greater(x, y, z, x))[i], a[i] > b[i] ? c[i] : a[i]);
      EXPECT_EQ(this->values_of(where_sign_clear(x, y))[i], std::signbit(a[i]) ? 0 : b[i]);
    }
  }
}

TYPED_TEST(LanesTest, MaxGivesItsSecondOperandForNan) {
  EXPECT_TRUE(std::isnan(this->first_of(max(this->splat(0), this->splat(this->kNan)))));
  EXPECT_EQ(this->first_of(max(this->splat(this->kNan), this->splat(0))), 0);
}

TYPED_TEST(LanesTest, ComparisonsAreFalseForNanAndEqualForBothZeros) {
  const auto nan = this->splat(this->kNan);
  const auto one = this->splat(1);
  EXPECT_EQ(this->first_of(where_not_negative(nan, one)), 0);
  EXPECT_EQ(this->first_of(where_not_negative(this->splat(TypeParam(-0.0)), one)), 1);
  EXPECT_EQ(this->first_of(where_sign_clear(this->splat(TypeParam(-0.0)), one)), 0);
  EXPECT_EQ(this->first_of(where_sign_clear(this->splat(0), one)), 1);
  EXPECT_EQ(this->first_of(where_greater(nan, one, one, this->splat(2))), 2);
}

TYPED_TEST(LanesTest, SplatKeepsTheSignOfZeroAndInfinity) {
  for (const TypeParam value : {TypeParam(-0.0), TypeParam(0), TypeParam(3), -this->kInfinity}) {
    for (const TypeParam lane : this->values_of(this->splat(value))) {
      EXPECT_EQ(lane, value);
      EXPECT_EQ(std::signbit(lane), std::signbit(value));
    }
  }
  for (const TypeParam lane : this->values_of(Lanes<TypeParam>::zero())) {
    EXPECT_EQ(lane, 0);
    EXPECT_FALSE(std::signbit(lane));
  }
}

/// Lane i plus lane i + n/2, and so on, by recursion over strides: a second way to say the order.
template <class T>
T tree(const T* values, std::size_t count, std::size_t stride) {
  return count == 1
             ? *values
             : tree(values, count / 2, stride * 2) + tree(values + stride, count / 2, stride * 2);
}

TYPED_TEST(LanesTest, TreeSumAddsHalvesToHalves) {
  int differ_from_a_plain_sum = 0;
  for (int repeat = 0; repeat < 1000; ++repeat) {
    const auto values = this->random_values();
    const auto sum = tree_sum(Lanes<TypeParam>::load(values.data()));
    EXPECT_EQ(sum, tree(values.data(), TestFixture::kCount, 1));
    TypeParam plain = 0;
    for (const TypeParam value : values) {
      plain += value;
    }
    differ_from_a_plain_sum += plain != sum ? 1 : 0;
  }
  EXPECT_GT(differ_from_a_plain_sum, 100) << "the values do not tell one order from another";
}

TYPED_TEST(LanesTest, TreeSumsAddsInTheOrderOfTreeSum) {
  constexpr std::size_t kVectors = 16;
  for (int repeat = 0; repeat < 1000; ++repeat) {
    Lanes<TypeParam> sums[kVectors];
    for (Lanes<TypeParam>& sum : sums) {
      sum = Lanes<TypeParam>::load(this->random_values().data());
    }
    alignas(kLaneBytes) std::array<TypeParam, kVectors> totals;
    tree_sums(sums, totals.data());
    for (std::size_t k = 0; k < kVectors; ++k) {
      EXPECT_EQ(totals[k], tree_sum(sums[k])) << "vector " << k;
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
