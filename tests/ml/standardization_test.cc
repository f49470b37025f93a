#include "ml/standardization.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/random_shard.h"
#include "ml/sample_blocks.h"
#include "ml/sample_rows.h"

namespace gradmill::ml {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

Shard shard_of(std::uint32_t features, const std::vector<float>& values) {
  Shard shard;
  shard.features = features;
  shard.rows = static_cast<std::uint32_t>(values.size()) / features;
  shard.classes = 1;
  shard.labels.resize(shard.rows);
  shard.values = values;
  return shard;
}

TEST(StandardizationOf, IsMeanAndDeviationOfThePopulation) {
  const std::vector<Shard> shards = {shard_of(2, {1, 10, 3, 10, 5, 40})};
  const Standardization result = standardization_of(shards);
  EXPECT_THAT(result.mean, ElementsAre(3, 20));
  EXPECT_THAT(
      result.deviation,
      ElementsAre(DoubleNear(std::sqrt(8.0 / 3), 1e-15), DoubleNear(std::sqrt(200), 1e-14)));
}

TEST(StandardizationOf, CountsTheDeviationOfAConstantFeatureAsOne) {
  const std::vector<Shard> shards = {shard_of(2, {0.1F, 1, 0.1F, 2, 0.1F, 3}),
                                     shard_of(2, {0.1F, 9})};
  const Standardization result = standardization_of(shards);
  EXPECT_EQ(result.mean[0], double{0.1F});
  EXPECT_EQ(result.deviation[0], 1);
  EXPECT_EQ(standardized<float>(0.1F, result, 0), 0);
  EXPECT_NE(result.deviation[1], 1);
}

TEST(StandardizationOf, CountsTheDeviationOfOneRowAsOne) {
  const std::vector<Shard> shards = {shard_of(2, {5, -7})};
  const Standardization result = standardization_of(shards);
  EXPECT_THAT(result.mean, ElementsAre(5, -7));
  EXPECT_THAT(result.deviation, ElementsAre(1, 1));
}

TEST(StandardizationOf, SeveralShardsIsThatOfTheirRowsTogether) {
  const Shard whole = random_shard(100, 3, 2, 1);
  const auto& values = std::get<std::vector<float>>(whole.values);
  std::vector<Shard> parts;
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 40}, {40, 100}}) {
    parts.push_back(shard_of(3, {values.begin() + 3 * first, values.begin() + 3 * last}));
  }
  const Standardization one = standardization_of(std::vector<Shard>{whole});
  EXPECT_EQ(standardization_of(parts), one);
}

TEST(StandardizationOf, BytesIsThatOfTheSameNumbersAsFloats) {
  Draw draw(2);
  std::vector<std::uint8_t> bytes(50 * 4);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(draw.below(256));
  }
  Shard of_bytes = shard_of(4, {bytes.begin(), bytes.end()});
  const Standardization of_floats = standardization_of(std::vector<Shard>{of_bytes});
  of_bytes.values = bytes;
  EXPECT_EQ(standardization_of(std::vector<Shard>{of_bytes}), of_floats);
}

TEST(StandardizationOf, StaysFiniteForTheLargestFloats) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const std::vector<Shard> shards = {shard_of(1, {kMost, -kMost, kMost, kMost})};
  const Standardization result = standardization_of(shards);
  EXPECT_TRUE(std::isfinite(result.mean[0]));
  EXPECT_TRUE(std::isfinite(result.deviation[0]));
  EXPECT_NEAR(standardized<double>(-kMost, result, 0), -std::sqrt(3), 1e-12);
}

TEST(StandardizationOf, TellsTheSmallestFloatsApart) {
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  const Standardization result =
      standardization_of(std::vector<Shard>{shard_of(1, {kLeast, 0, kLeast, 0})});
  EXPECT_GT(result.deviation[0], 0);
  EXPECT_EQ(standardized<double>(kLeast, result, 0), 1);
}

TEST(StandardizationDeathTest, DiesOfNoRowsAndOfShardsOfOtherWidths) {
  const auto of = [](const std::vector<Shard>& shards) {
    static_cast<void>(standardization_of(shards));
  };
  EXPECT_DEATH(of({}), "gradmill: bug:");
  EXPECT_DEATH(of({shard_of(1, {})}), "gradmill: bug:");
  EXPECT_DEATH(of({shard_of(1, {1, 2}), shard_of(2, {1, 2})}), "gradmill: bug:");
}

template <class T>
class StandardizedTest : public testing::Test {};
TYPED_TEST_SUITE(StandardizedTest, Precisions, PrecisionNames);

TYPED_TEST(StandardizedTest, LeavesTheFeaturesWithoutLists) {
  EXPECT_EQ(standardized<TypeParam>(0.1F, {}, 3), TypeParam(0.1F));
}

TYPED_TEST(StandardizedTest, RoundsOnce) {
  const Standardization rule{{1.0 / 3}, {0.7}};
  EXPECT_EQ(standardized<TypeParam>(5, rule, 0), static_cast<TypeParam>((5 - 1.0 / 3) / 0.7));
}

// As the kernels see them, in either layout.
TYPED_TEST(StandardizedTest, FeaturesHaveMeanZeroAndDeviationOne) {
  Shard shard = random_shard(1000, 3, 2, 3);
  auto& values = std::get<std::vector<float>>(shard.values);
  for (std::size_t k = 0; k < values.size(); ++k) {
    values[k] = k % 3 == 0 ? 1e6F + values[k] : k % 3 == 1 ? 1e-6F * values[k] : 7;
  }
  const Standardization rule = standardization_of(std::vector<Shard>{shard});
  const SampleRows<TypeParam> rows(shard, rule);
  const SampleBlocks<TypeParam> blocks(shard, rule);
  for (std::size_t feature = 0; feature < 3; ++feature) {
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < shard.rows; ++row) {
      const TypeParam value = rows.row(row)[feature];
      sum += double{value};
      squares += double{value} * double{value};
      const TypeParam* const block = blocks.features_of(row / kBlockRows);
      EXPECT_EQ(block[feature * kBlockRows + row % kBlockRows], value);
    }
    EXPECT_NEAR(sum / 1000, 0, 1e-7);
    EXPECT_NEAR(squares / 1000, feature == 2 ? 0 : 1, 1e-6);
  }
}

// Many rows of bytes go through a table.
TYPED_TEST(StandardizedTest, BytesAreStandardizedLikeTheSameNumbersAsFloats) {
  Draw draw(7);
  std::vector<std::uint8_t> bytes(300 * 2);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(draw.below(256));
  }
  Shard shard = shard_of(2, {bytes.begin(), bytes.end()});
  const Standardization rule{{3.25, 100}, {0.7, 33}};
  const SampleRows<TypeParam> of_floats(shard, rule);
  shard.values = bytes;
  const SampleRows<TypeParam> of_bytes(shard, rule);
  for (std::size_t row = 0; row < shard.rows; ++row) {
    EXPECT_EQ(of_bytes.row(row)[0], of_floats.row(row)[0]);
    EXPECT_EQ(of_bytes.row(row)[1], of_floats.row(row)[1]);
  }
}

}  // namespace
}  // namespace gradmill::ml
