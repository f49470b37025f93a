#include "ml/sample_blocks.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

template <class T>
class SampleBlocksTest : public testing::Test {};
TYPED_TEST_SUITE(SampleBlocksTest, Precisions, PrecisionNames);

TYPED_TEST(SampleBlocksTest, HoldEachSampleInAColumnAndPadTheLastBlock) {
  constexpr std::size_t kBlock = kBlockRows;
  for (const std::uint32_t rows : {1U, 383U, 384U, 385U, 768U, 1000U}) {
    const Shard shard = random_shard(rows, 3, 5, rows);
    const SampleBlocks<TypeParam> blocks(shard, {});
    EXPECT_EQ(blocks.rows(), rows);
    EXPECT_EQ(blocks.features(), 3);
    ASSERT_EQ(blocks.blocks(), (rows + kBlock - 1) / kBlock);
    EXPECT_GE(blocks.bytes(), blocks.blocks() * kBlock * (3 * sizeof(TypeParam) + 4));
    for (std::size_t row = 0; row < blocks.blocks() * kBlock; ++row) {
      const bool padding = row >= rows;
      const std::int32_t label = blocks.labels_of(row / kBlock)[row % kBlock];
      EXPECT_EQ(label, padding ? 0 : shard.labels[row]);
      for (std::size_t feature = 0; feature < 3; ++feature) {
        const TypeParam value = blocks.features_of(row / kBlock)[feature * kBlock + row % kBlock];
        EXPECT_EQ(value, padding ? TypeParam(0) : TypeParam(shard.value(row, feature)));
      }
    }
  }
}

TYPED_TEST(SampleBlocksTest, TakeBytesAsNumbers) {
  Shard shard;
  shard.rows = 2;
  shard.features = 2;
  shard.classes = 2;
  shard.values = std::vector<std::uint8_t>{0, 255, 128, 1};
  shard.labels = {0, 1};
  const SampleBlocks<TypeParam> blocks(shard, {});
  EXPECT_EQ(blocks.features_of(0)[0], 0);
  EXPECT_EQ(blocks.features_of(0)[1], 128);
  EXPECT_EQ(blocks.features_of(0)[kBlockRows], 255);
  EXPECT_EQ(blocks.features_of(0)[kBlockRows + 1], 1);
}

// More and fewer rows and features than a square of bytes that is transposed in registers.
TYPED_TEST(SampleBlocksTest, TakeManyBytesAsNumbers) {
  for (const std::uint32_t rows : {1U, 15U, 16U, 33U, 384U, 401U}) {
    for (const std::uint32_t features : {1U, 15U, 16U, 17U, 48U}) {
      Shard shard = random_shard(rows, features, 2, 1);
      std::vector<std::uint8_t> values(std::size_t{rows} * features);
      for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = static_cast<std::uint8_t>(k * 37 + k / 256);
      }
      shard.values = values;
      const SampleBlocks<TypeParam> blocks(shard, {});
      for (std::size_t row = 0; row < blocks.blocks() * kBlockRows; ++row) {
        const TypeParam* const block = blocks.features_of(row / kBlockRows);
        for (std::size_t feature = 0; feature < features; ++feature) {
          const TypeParam expected = row < rows ? TypeParam(values[row * features + feature]) : 0;
          ASSERT_EQ(block[feature * kBlockRows + row % kBlockRows], expected)
              << rows << " " << features;
        }
      }
    }
  }
}

TYPED_TEST(SampleBlocksTest, KeepTheLargestLabelExactly) {
  Shard shard = random_shard(1, 1, 2, 1);
  shard.labels = {UINT16_MAX};
  EXPECT_EQ(SampleBlocks<TypeParam>(shard, {}).labels_of(0)[0], 65535);
}

TYPED_TEST(SampleBlocksTest, AreAlignedForTheLanes) {
  SampleBlocks<TypeParam> blocks(random_shard(900, 5, 2, 1), {});
  const SampleBlocks<TypeParam> moved = std::move(blocks);
  for (std::size_t block = 0; block < moved.blocks(); ++block) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(moved.features_of(block)) % kLaneBytes, 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(moved.labels_of(block)) % kLaneBytes, 0);
  }
}

TYPED_TEST(SampleBlocksTest, OfNoRowsAreNoBlocks) {
  EXPECT_EQ(SampleBlocks<TypeParam>(random_shard(0, 3, 2, 1), {}).blocks(), 0);
}

}  // namespace
}  // namespace gradmill::ml
