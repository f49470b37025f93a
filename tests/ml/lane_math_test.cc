#include "ml/kernel/lane_math.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

/// f of one number, taken from the last lane.
template <class T, class F>
T one_lane(T x, const F& f) {
  alignas(kLaneBytes) std::array<T, Lanes<T>::kCount> values;
  f(Lanes<T>::splat(x)).store(values.data());
  return values.back();
}

template <class T>
T exp_of(T x) {
  return one_lane(x, [](Lanes<T> lanes) { return exp_not_positive(lanes); });
}

template <class T>
T log_of(T y) {
  return one_lane(y, [](Lanes<T> lanes) { return log_positive(lanes); });
}

template <class T>
T root_of(T y) {
  return one_lane(y, [](Lanes<T> lanes) { return reciprocal_root(lanes); });
}

template <class T>
T tanh_one(T x) {
  return one_lane(x, [](Lanes<T> lanes) { return tanh_of(lanes); });
}

template <class T>
T sigmoid_one(T x) {
  return one_lane(x, [](Lanes<T> lanes) { return sigmoid_of(lanes); });
}

/// |actual - expected| in units in the last place of T at `expected`.
template <class T>
long double ulps(T actual, long double expected) {
  const T near = std::fabs(static_cast<T>(expected));
  const T ulp = std::nextafter(near, std::numeric_limits<T>::infinity()) - near;
  return std::fabs(static_cast<long double>(actual) - expected) / static_cast<long double>(ulp);
}

template <class T>
class LaneMathTest : public testing::Test {
 protected:
  static constexpr int kDraws = 200'000;
};
TYPED_TEST_SUITE(LaneMathTest, Precisions, PrecisionNames);

// In units of epsilon: two for the polynomial and the result, and the rounding of log2(e), which
// the size of x multiplies.
TYPED_TEST(LaneMathTest, ExpIsCloseToTheLibrarysForItsArgument) {
  Draw draw(21);
  long double worst = 0;
  long double worst_of_one = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    // Half of the draws all over the range, half close to zero, where softmax has its large terms.
    const double least = static_cast<double>(LaneMathConstants<TypeParam>::kExpMin);
    const double x = i % 2 == 0 ? draw.between(least, 0) : -std::exp2(draw.between(-40, 3));
    const auto rounded = static_cast<TypeParam>(x);
    const long double expected = std::exp(static_cast<long double>(rounded));
    const long double error = std::fabs(static_cast<long double>(exp_of(rounded)) - expected);
    worst = std::max(worst, error / (expected * (2 + std::fabs(x) / 2)));
    worst_of_one = std::max(worst_of_one, error);
  }
  const auto epsilon = static_cast<long double>(std::numeric_limits<TypeParam>::epsilon());
  this->RecordProperty("worst", std::to_string(worst / epsilon));
  EXPECT_LE(worst, epsilon);
  // Of the sum in a softmax, which is one or more.
  this->RecordProperty("worst_of_one", std::to_string(worst_of_one / epsilon));
  EXPECT_LE(worst_of_one, 2 * epsilon);
}

TYPED_TEST(LaneMathTest, LogIsWithinAFewUnitsOfTheLibrarys) {
  Draw draw(22);
  long double worst = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    // Half of the draws where the loss has them, half all over the normal numbers.
    const double y = i % 2 == 0 ? 1e-6 + draw.between(0, 1) : std::exp2(draw.between(-125, 127));
    const auto rounded = static_cast<TypeParam>(y);
    worst = std::max(worst, ulps(log_of(rounded), std::log(static_cast<long double>(rounded))));
  }
  this->RecordProperty("worst_ulps", std::to_string(worst));
  EXPECT_LE(worst, 3.0L);
}

TYPED_TEST(LaneMathTest, ExpOfZeroIsOne) {
  EXPECT_EQ(exp_of(TypeParam(0)), 1);
  EXPECT_EQ(exp_of(TypeParam(-0.0)), 1);
}

TYPED_TEST(LaneMathTest, ExpOfLessThanItsLeastArgumentIsATinyNormalNumber) {
  const TypeParam least = exp_of(LaneMathConstants<TypeParam>::kExpMin);
  EXPECT_TRUE(std::isnormal(least));
  EXPECT_LT(least, TypeParam(1e-37));
  EXPECT_EQ(exp_of(TypeParam(-1e30)), least);
  EXPECT_EQ(exp_of(std::numeric_limits<TypeParam>::lowest()), least);
  EXPECT_EQ(exp_of(-std::numeric_limits<TypeParam>::infinity()), least);
}

TYPED_TEST(LaneMathTest, ExpNeverFalls) {
  const double least = static_cast<double>(LaneMathConstants<TypeParam>::kExpMin);
  TypeParam last = 0;
  for (int i = 0; i <= 100'000; ++i) {
    const TypeParam value = exp_of(static_cast<TypeParam>(least * (1 - i / 100'000.0)));
    EXPECT_GE(value, last);
    last = value;
  }
}

TYPED_TEST(LaneMathTest, LogOfPowersOfTwoIsExactlyRounded) {
  EXPECT_EQ(log_of(TypeParam(1)), 0);
  EXPECT_FALSE(std::signbit(log_of(TypeParam(1))));
  for (int power = -126; power <= 127; ++power) {
    const auto y = static_cast<TypeParam>(std::exp2(power));
    EXPECT_EQ(log_of(y), std::log(y)) << "2^" << power;
  }
}

TYPED_TEST(LaneMathTest, ReciprocalRootIsWithinAFewUnitsOfTheLibrarys) {
  Draw draw(23);
  const double least = std::numeric_limits<TypeParam>::min_exponent;
  const double most = std::numeric_limits<TypeParam>::max_exponent;
  long double worst = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    // Half of the draws all over the normal numbers, half over one period of the guess.
    const double power = i % 2 == 0 ? draw.between(least, most - 1) : draw.between(-1, 1);
    const auto y = static_cast<TypeParam>(std::exp2(power));
    worst = std::max(worst, ulps(root_of(y), 1 / std::sqrt(static_cast<long double>(y))));
  }
  this->RecordProperty("worst_ulps", std::to_string(worst));
  EXPECT_LE(worst, 4.0L);
}

TYPED_TEST(LaneMathTest, ReciprocalRootHoldsAtTheEndsOfTheNormalNumbers) {
  for (const TypeParam y :
       {std::numeric_limits<TypeParam>::min(), std::numeric_limits<TypeParam>::max()}) {
    EXPECT_LE(ulps(root_of(y), 1 / std::sqrt(static_cast<long double>(y))), 4.0L);
  }
}

TYPED_TEST(LaneMathTest, TanhIsCloseToTheLibrarys) {
  Draw draw(24);
  double worst = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    const double size = i % 2 == 0 ? draw.between(0, 20) : std::exp2(draw.between(-40, 10));
    const auto x = static_cast<TypeParam>(i % 4 < 2 ? size : -size);
    const double expected = std::tanh(static_cast<double>(x));
    const double error = std::fabs(static_cast<double>(tanh_one(x)) - expected);
    worst = std::max(worst, error / std::max(std::fabs(expected), 1e-3));
  }
  // Near zero, 1 - exp(-2 |x|) has the rounding errors of 1: a thousand units of 1e-3.
  EXPECT_LE(worst, 1500 * static_cast<double>(std::numeric_limits<TypeParam>::epsilon()));
}

TYPED_TEST(LaneMathTest, TanhIsWithinAUnitOfOneOfTheLibrarys) {
  Draw draw(25);
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    const auto x = static_cast<TypeParam>(draw.between(-20, 20));
    ASSERT_NEAR(static_cast<double>(tanh_one(x)),
                std::tanh(static_cast<double>(x)),
                1.5 * static_cast<double>(std::numeric_limits<TypeParam>::epsilon()))
        << x;
  }
}

TYPED_TEST(LaneMathTest, TanhIsOddAndEndsAtOne) {
  EXPECT_EQ(tanh_one(TypeParam(0)), 0);
  for (const double x : {1e-30, 0.1, 1.0, 5.0, 30.0, 1e3, 1e30}) {
    const auto value = static_cast<TypeParam>(x);
    EXPECT_EQ(tanh_one(-value), -tanh_one(value));
    EXPECT_LE(tanh_one(value), 1);
  }
  EXPECT_EQ(tanh_one(TypeParam(1e30)), 1);
  EXPECT_EQ(tanh_one(std::numeric_limits<TypeParam>::infinity()), 1);
  EXPECT_EQ(tanh_one(-std::numeric_limits<TypeParam>::infinity()), -1);
}

// Above zero to a few roundings of one, below to those of exp.
TYPED_TEST(LaneMathTest, SigmoidIsCloseToTheLibrarysForItsArgument) {
  Draw draw(26);
  const double range = -static_cast<double>(LaneMathConstants<TypeParam>::kExpMin);
  long double worst = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    const double x = i % 2 == 0 ? draw.between(-range, range) : draw.between(-4, 4);
    const auto rounded = static_cast<TypeParam>(x);
    const long double expected = 1 / (1 + std::exp(-static_cast<long double>(rounded)));
    const long double error = std::fabs(static_cast<long double>(sigmoid_one(rounded)) - expected);
    worst = std::max(worst, error / (expected * (3 + std::max(0.0, -x / 2))));
  }
  const auto epsilon = static_cast<long double>(std::numeric_limits<TypeParam>::epsilon());
  this->RecordProperty("worst", std::to_string(worst / epsilon));
  EXPECT_LE(worst, epsilon);
}

TYPED_TEST(LaneMathTest, SigmoidEndsAtZeroAndOne) {
  EXPECT_EQ(sigmoid_one(TypeParam(0)), TypeParam(0.5));
  for (const TypeParam x : {TypeParam(1e30), std::numeric_limits<TypeParam>::infinity()}) {
    EXPECT_EQ(sigmoid_one(x), 1);
    EXPECT_GE(sigmoid_one(-x), 0);
    EXPECT_LT(sigmoid_one(-x), TypeParam(1e-37));
  }
}

TYPED_TEST(LaneMathTest, NanStaysNan) {
  const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  for (const TypeParam value : {nan, -nan}) {
    EXPECT_TRUE(std::isnan(exp_of(value)));
    EXPECT_TRUE(std::isnan(log_of(value)));
    EXPECT_TRUE(std::isnan(root_of(value)));
    EXPECT_TRUE(std::isnan(tanh_one(value)));
    EXPECT_TRUE(std::isnan(sigmoid_one(value)));
  }
}

}  // namespace
}  // namespace gradmill::ml
