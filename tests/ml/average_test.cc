#include "ml/average.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/parameter_bytes.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

using testing::ElementsAre;

/// One shard's delta as values.
template <class T>
struct Part {
  std::vector<T> delta;
  std::uint64_t rows = 1;
};

template <class T>
std::vector<T> average(const std::vector<T>& weights, const std::vector<Part<T>>& parts) {
  std::vector<std::string> bytes;
  for (const Part<T>& part : parts) {
    bytes.push_back(bytes_from<T>(part.delta));
  }
  std::vector<WeightedDelta> deltas;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    deltas.push_back({bytes[k], parts[k].rows});
  }
  return parameters_from<T>(apply_average(bytes_from<T>(weights), deltas, kPrecisionOf<T>));
}

template <class T>
std::vector<T> random_values(std::size_t size, std::uint32_t seed) {
  Draw draw(seed);
  std::vector<T> values(size);
  for (T& value : values) {
    value = static_cast<T>(draw.between(-3, 3) / 7);
  }
  return values;
}

template <class T>
class AverageTest : public testing::Test {};
TYPED_TEST_SUITE(AverageTest, Precisions, PrecisionNames);

TYPED_TEST(AverageTest, AddsTheMeanOfTheDeltasWeightedByRows) {
  EXPECT_THAT(average<TypeParam>({10, -1}, {{{1, 8}, 3}, {{5, 0}, 1}}), ElementsAre(12, 5));
  EXPECT_THAT(average<TypeParam>({10, -1}, {{{1, 2}, 1500}}), ElementsAre(11, 1));
}

// Element by element, also across the strips in which it works.
TYPED_TEST(AverageTest, IsThePlainLoopForAnySize) {
  for (const std::size_t size : {0U, 1U, 2U, 15U, 2047U, 2048U, 2049U, 5000U}) {
    const auto weights = random_values<TypeParam>(size, 91);
    std::vector<Part<TypeParam>> parts;
    double rows = 0;
    for (std::uint32_t k = 0; k < 11; ++k) {
      parts.push_back({random_values<TypeParam>(size, 92 + k), 1000 + 77 * k});
      rows += 1000 + 77 * k;
    }
    const auto actual = average(weights, parts);
    ASSERT_EQ(actual.size(), size);
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0;
      for (const auto& part : parts) {
        sum += static_cast<double>(part.rows) * double{part.delta[k]};
      }
      ASSERT_EQ(actual[k], static_cast<TypeParam>(double{weights[k]} + sum / rows)) << k;
    }
  }
}

TYPED_TEST(AverageTest, SumsInTheOrderGiven) {
  // In double, 1 is lost beside 2^60, but not after 2^60 - 2^60.
  const auto big = static_cast<TypeParam>(0x1p60);
  EXPECT_THAT(average<TypeParam>({0}, {{{big}}, {{1}}, {{-big}}, {{0}}}), ElementsAre(0));
  EXPECT_THAT(average<TypeParam>({0}, {{{big}}, {{-big}}, {{1}}, {{0}}}), ElementsAre(0.25));
}

TYPED_TEST(AverageTest, TakesRowsBeyondThirtyTwoBits) {
  EXPECT_THAT(average<TypeParam>({0}, {{{4}, std::uint64_t{1} << 40U}, {{0}, 1}}),
              ElementsAre(static_cast<TypeParam>(4 * 0x1p40 / (0x1p40 + 1))));
}

TEST(Average, AccumulatesFloatsInDouble) {
  // In float, each 1 would be lost beside 2^24.
  const std::vector<Part<float>> parts = {{{0x1p24F}}, {{1}}, {{1}}, {{-0x1p24F}}};
  EXPECT_THAT(average<float>({0}, parts), ElementsAre(0.5F));
}

TEST(Average, RoundsToFloatOnce) {
  // 1 + 2^-24 + 2^-50 rounds up; a mean rounded to float first would be 2^-24, and then the tie of
  // 1 + 2^-24 rounds down.
  const std::vector<Part<float>> parts = {{{0x1p-23F}}, {{0x1p-49F}}};
  EXPECT_THAT(average<float>({1}, parts), ElementsAre(1 + 0x1p-23F));
}

TEST(AverageDeathTest, DiesOfPartsThatDoNotFit) {
  const auto apply = [](std::string_view weights, const std::vector<WeightedDelta>& deltas) {
    static_cast<void>(apply_average(weights, deltas, Precision::kFloat));
  };
  EXPECT_DEATH(apply("12345678", {}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"1234", 1}}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"12345678", 0}}), "gradmill: bug:");
  EXPECT_DEATH(apply("123456", {{"123456", 1}}), "gradmill: bug:");
}

template <class T>
class AllFiniteTest : public testing::Test {
 protected:
  static bool all_finite_of(const std::vector<T>& values) {
    return all_finite(bytes_from<T>(values), kPrecisionOf<T>);
  }
};
TYPED_TEST_SUITE(AllFiniteTest, Precisions, PrecisionNames);

TYPED_TEST(AllFiniteTest, HoldsForEveryFiniteNumber) {
  using Limits = std::numeric_limits<TypeParam>;
  EXPECT_TRUE(this->all_finite_of({}));
  for (const TypeParam value : {TypeParam(0),
                                TypeParam(-0.0),
                                TypeParam(1),
                                Limits::denorm_min(),
                                -Limits::denorm_min(),
                                Limits::min(),
                                Limits::max(),
                                Limits::lowest()}) {
    EXPECT_TRUE(this->all_finite_of({value})) << value;
    EXPECT_TRUE(this->all_finite_of(std::vector<TypeParam>(67, value))) << value;
  }
}

TYPED_TEST(AllFiniteTest, FindsNanAndInfinityAtEveryPosition) {
  using Limits = std::numeric_limits<TypeParam>;
  for (std::size_t size = 1; size <= 67; ++size) {
    for (std::size_t position = 0; position < size; ++position) {
      for (const TypeParam value : {Limits::quiet_NaN(),
                                    -Limits::quiet_NaN(),
                                    Limits::signaling_NaN(),
                                    Limits::infinity(),
                                    -Limits::infinity()}) {
        std::vector<TypeParam> values(size, Limits::max());
        values[position] = value;
        ASSERT_FALSE(this->all_finite_of(values)) << value << " at " << position << " of " << size;
      }
    }
  }
}

TYPED_TEST(AllFiniteTest, LooksThroughBytesThatAreNotAligned) {
  std::vector<TypeParam> values(9, 1);
  const std::string fine = "x" + bytes_from<TypeParam>(values);
  values[8] = std::numeric_limits<TypeParam>::infinity();
  const std::string infinite = "x" + bytes_from<TypeParam>(values);
  EXPECT_TRUE(all_finite(std::string_view(fine).substr(1), kPrecisionOf<TypeParam>));
  EXPECT_FALSE(all_finite(std::string_view(infinite).substr(1), kPrecisionOf<TypeParam>));
}

}  // namespace
}  // namespace gradmill::ml
