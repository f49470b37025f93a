#include "ml/lane_math.h"

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

template <class T>
T exp_of(T x) {
  alignas(kLaneBytes) std::array<T, Lanes<T>::kCount> values;
  exp_not_positive(Lanes<T>::splat(x)).store(values.data());
  return values.back();
}

template <class T>
T log_of(T y) {
  alignas(kLaneBytes) std::array<T, Lanes<T>::kCount> values;
  log_positive(Lanes<T>::splat(y)).store(values.data());
  return values.back();
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

TYPED_TEST(LaneMathTest, ExpIsWithinOneUnitOfTheLibrarys) {
  Draw draw(21);
  long double worst = 0;
  for (int i = 0; i < TestFixture::kDraws; ++i) {
    // Half of the draws all over the range, half close to zero, where softmax has its large terms.
    const double least = static_cast<double>(LaneMathConstants<TypeParam>::kExpMin);
    const double x = i % 2 == 0 ? draw.between(least, 0) : -std::exp2(draw.between(-40, 3));
    const auto rounded = static_cast<TypeParam>(x);
    worst = std::max(worst, ulps(exp_of(rounded), std::exp(static_cast<long double>(rounded))));
  }
  this->RecordProperty("worst_ulps", std::to_string(worst));
  EXPECT_LE(worst, 1.0L);
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
  EXPECT_LT(least, TypeParam(2e-38));
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

TYPED_TEST(LaneMathTest, NanStaysNan) {
  const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  for (const TypeParam value : {nan, -nan}) {
    EXPECT_TRUE(std::isnan(exp_of(value)));
    EXPECT_TRUE(std::isnan(log_of(value)));
  }
}

}  // namespace
}  // namespace gradmill::ml
