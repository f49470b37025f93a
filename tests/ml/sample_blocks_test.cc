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

TEST(BlockRows, AreFewerForWideLayers) {
  EXPECT_EQ(block_rows({{16, 24, 26}}), 384);
  EXPECT_EQ(block_rows({{1024, 1024}}), 384);
  EXPECT_EQ(block_rows({{1025, 2}}), 64);
  EXPECT_EQ(block_rows({{2, 1025, 2}}), 64);
  EXPECT_EQ(block_rows({{2, 1025}}), 64);
}

template <class T>
class SampleBlocksTest : public testing::Test {};
TYPED_TEST_SUITE(SampleBlocksTest, Precisions, PrecisionNames);

TYPED_TEST(SampleBlocksTest, HoldEachSampleInAColumnAndPadTheLastBlock) {
  constexpr std::size_t kBlock = 64;
  for (const std::uint32_t rows : {1U, 63U, 64U, 65U, 128U, 200U}) {
    const Shard shard = random_shard(rows, 3, 5, rows);
    const SampleBlocks<TypeParam> blocks(shard, kBlock);
    EXPECT_EQ(blocks.rows(), rows);
    EXPECT_EQ(blocks.features(), 3);
    EXPECT_EQ(blocks.block_rows(), kBlock);
    ASSERT_EQ(blocks.blocks(), (rows + kBlock - 1) / kBlock);
    EXPECT_EQ(blocks.bytes(), blocks.blocks() * kBlock * 4 * sizeof(TypeParam));
    for (std::size_t row = 0; row < blocks.blocks() * kBlock; ++row) {
      const bool padding = row >= rows;
      const TypeParam label = blocks.labels_of(row / kBlock)[row % kBlock];
      EXPECT_EQ(label, padding ? TypeParam(-1) : static_cast<TypeParam>(shard.labels[row]));
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
  const SampleBlocks<TypeParam> blocks(shard, 64);
  EXPECT_EQ(blocks.features_of(0)[0], 0);
  EXPECT_EQ(blocks.features_of(0)[1], 128);
  EXPECT_EQ(blocks.features_of(0)[64], 255);
  EXPECT_EQ(blocks.features_of(0)[65], 1);
}

TYPED_TEST(SampleBlocksTest, KeepTheLargestLabelExactly) {
  Shard shard = random_shard(1, 1, 2, 1);
  shard.labels = {UINT16_MAX};
  EXPECT_EQ(SampleBlocks<TypeParam>(shard, 64).labels_of(0)[0], 65535);
}

TYPED_TEST(SampleBlocksTest, AreAlignedForTheLanes) {
  SampleBlocks<TypeParam> blocks(random_shard(150, 5, 2, 1), 64);
  const SampleBlocks<TypeParam> moved = std::move(blocks);
  for (std::size_t block = 0; block < moved.blocks(); ++block) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(moved.features_of(block)) % kLaneBytes, 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(moved.labels_of(block)) % kLaneBytes, 0);
  }
}

TYPED_TEST(SampleBlocksTest, OfNoRowsAreNoBlocks) {
  EXPECT_EQ(SampleBlocks<TypeParam>(random_shard(0, 3, 2, 1), 64).blocks(), 0);
}

}  // namespace
}  // namespace gradmill::ml
