#include "ml/sample_rows.h"

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
class SampleRowsTest : public testing::Test {
 protected:
  static constexpr std::size_t kLanes = kLaneBytes / sizeof(T);
};
TYPED_TEST_SUITE(SampleRowsTest, Precisions, PrecisionNames);

TYPED_TEST(SampleRowsTest, StridesAreTheLeastOddNumberOfVectors) {
  constexpr std::size_t kVector = TestFixture::kLanes;
  EXPECT_EQ(row_stride<TypeParam>(1), kVector);
  EXPECT_EQ(row_stride<TypeParam>(kVector), kVector);
  EXPECT_EQ(row_stride<TypeParam>(kVector + 1), 3 * kVector);
  EXPECT_EQ(row_stride<TypeParam>(3 * kVector), 3 * kVector);
  EXPECT_EQ(row_stride<TypeParam>(3 * kVector + 1), 5 * kVector);
}

TYPED_TEST(SampleRowsTest, HoldEachSampleInARowPaddedWithZeros) {
  for (const std::uint32_t features : {1U, 7U, 8U, 16U, 17U, 97U}) {
    const Shard shard = random_shard(33, features, 5, features);
    const SampleRows<TypeParam> rows(shard, {});
    EXPECT_EQ(rows.rows(), 33);
    EXPECT_EQ(rows.features(), features);
    EXPECT_EQ(rows.stride(), row_stride<TypeParam>(features));
    EXPECT_EQ(rows.bytes(), 33 * (rows.stride() * sizeof(TypeParam) + 4));
    for (std::size_t row = 0; row < 33; ++row) {
      EXPECT_EQ(rows.labels()[row], shard.labels[row]);
      for (std::size_t k = 0; k < rows.stride(); ++k) {
        EXPECT_EQ(rows.row(row)[k], k < features ? TypeParam(shard.value(row, k)) : TypeParam(0));
      }
    }
  }
}

TYPED_TEST(SampleRowsTest, TakeBytesAsNumbers) {
  Shard shard;
  shard.rows = 2;
  shard.features = 2;
  shard.classes = 65536;
  shard.values = std::vector<std::uint8_t>{0, 255, 128, 1};
  shard.labels = {0, 65535};
  const SampleRows<TypeParam> rows(shard, {});
  EXPECT_EQ(rows.row(0)[0], 0);
  EXPECT_EQ(rows.row(0)[1], 255);
  EXPECT_EQ(rows.row(1)[0], 128);
  EXPECT_EQ(rows.row(1)[1], 1);
  EXPECT_EQ(rows.labels()[1], 65535);
}

TYPED_TEST(SampleRowsTest, AreAlignedForTheLanes) {
  SampleRows<TypeParam> rows(random_shard(15, 5, 2, 1), {});
  const SampleRows<TypeParam> moved = std::move(rows);
  for (std::size_t row = 0; row < moved.rows(); ++row) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(moved.row(row)) % kLaneBytes, 0);
  }
}

}  // namespace
}  // namespace gradmill::ml
