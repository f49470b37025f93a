#include "ml/tiles.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/aligned.h"
#include "ml/both_precisions.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<std::size_t, std::size_t>> tiles_of(std::size_t out) {
  std::vector<std::pair<std::size_t, std::size_t>> tiles;
  PackedMatrix<float>(out, 1).for_each_tile(
      [&](std::size_t first, std::size_t count) { tiles.emplace_back(first, count); });
  return tiles;
}

TEST(PackedMatrix, DividesOutputsEvenly) {
  EXPECT_THAT(tiles_of(1), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(tiles_of(13), ElementsAre(Pair(0, 13)));
  EXPECT_THAT(tiles_of(14), ElementsAre(Pair(0, 7), Pair(7, 7)));
  EXPECT_THAT(tiles_of(26), ElementsAre(Pair(0, 13), Pair(13, 13)));
  EXPECT_THAT(tiles_of(27), ElementsAre(Pair(0, 9), Pair(9, 9), Pair(18, 9)));
}

TEST(PackedMatrix, TilesCoverEveryOutputOnceAndDifferByAtMostOne) {
  for (std::size_t out = 1; out <= 300; ++out) {
    std::size_t end = 0;
    const auto tiles = tiles_of(out);
    for (const auto& [first, count] : tiles) {
      EXPECT_EQ(first, end);
      EXPECT_LE(count, kTileUnits);
      EXPECT_GE(count, out / tiles.size());
      EXPECT_LE(count, out / tiles.size() + 1);
      end += count;
    }
    EXPECT_EQ(end, out);
  }
}

TEST(PackedMatrix, LaysATileOutInputByInput) {
  constexpr std::size_t kOut = 15;
  constexpr std::size_t kIn = 3;
  std::vector<double> matrix;
  for (std::size_t k = 0; k < kOut * kIn; ++k) {
    matrix.push_back(static_cast<double>(k));
  }
  PackedMatrix<double> packed(kOut, kIn);
  packed.pack(matrix.data(), kIn, 1);
  packed.for_each_tile([&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < kIn; ++i) {
      for (std::size_t o = 0; o < count; ++o) {
        EXPECT_EQ(packed.tile(first)[i * count + o], matrix[(first + o) * kIn + i]);
      }
    }
  });
}

TEST(PackedMatrix, PacksATransposedMatrixByItsStrides) {
  const std::vector<double> matrix = {1, 2, 3, 4, 5, 6};  // [2][3]
  PackedMatrix<double> packed(3, 2);
  packed.pack(matrix.data(), 1, 3);
  const double* const tile = packed.tile(0);
  EXPECT_THAT(std::vector<double>(tile, tile + 6), ElementsAre(1, 2, 3, 4, 5, 6));
  packed.pack(matrix.data(), 2, 1);
  EXPECT_THAT(std::vector<double>(tile, tile + 6), ElementsAre(1, 3, 5, 2, 4, 6));
}

constexpr std::size_t kRows = 64;

/// Products on small whole numbers, which are exact in any order.
template <class T>
class TilesTest : public testing::Test {
 protected:
  AlignedArray<T> whole_numbers(std::size_t size) {
    AlignedArray<T> values(size);
    for (T& value : values.span()) {
      value = static_cast<T>(draw_.below(17)) - 8;
    }
    return values;
  }

 private:
  Draw draw_{31};
};
TYPED_TEST_SUITE(TilesTest, Precisions, PrecisionNames);

TYPED_TEST(TilesTest, DenseBlockMultipliesAndAddsTheBias) {
  for (std::size_t out = 1; out <= 2 * kTileUnits + 2; ++out) {
    for (const std::size_t in : {1U, 2U, 5U, 16U}) {
      const auto matrix = this->whole_numbers(out * in);
      const auto bias = this->whole_numbers(out);
      const auto source = this->whole_numbers(in * kRows);
      PackedMatrix<TypeParam> packed(out, in);
      packed.pack(matrix.data(), in, 1);
      AlignedArray<TypeParam> with_bias(out * kRows);
      AlignedArray<TypeParam> without(out * kRows);
      dense_block(with_bias.data(), source.data(), packed, bias.data(), kRows);
      dense_block(
          without.data(), source.data(), packed, static_cast<const TypeParam*>(nullptr), kRows);
      for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t s = 0; s < kRows; ++s) {
          TypeParam sum = 0;
          for (std::size_t i = 0; i < in; ++i) {
            sum += matrix.data()[o * in + i] * source.data()[i * kRows + s];
          }
          ASSERT_EQ(without.data()[o * kRows + s], sum);
          ASSERT_EQ(with_bias.data()[o * kRows + s], sum + bias.data()[o]);
        }
      }
    }
  }
}

TYPED_TEST(TilesTest, OuterBlockSumsProductsOverSamplesAndWritesNoFurther) {
  for (std::size_t out = 1; out <= 2 * kOuterUnits + 1; ++out) {
    for (std::size_t in = 1; in <= 2 * kOuterUnits + 1; ++in) {
      const auto left = this->whole_numbers(out * kRows);
      const auto right = this->whole_numbers(in * kRows);
      std::vector<TypeParam> gradient(out * in + 1, TypeParam(77));
      outer_block(gradient.data(), left.data(), right.data(), out, in, kRows);
      for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t i = 0; i < in; ++i) {
          TypeParam sum = 0;
          for (std::size_t s = 0; s < kRows; ++s) {
            sum += left.data()[o * kRows + s] * right.data()[i * kRows + s];
          }
          ASSERT_EQ(gradient[o * in + i], sum) << out << " x " << in;
        }
      }
      ASSERT_EQ(gradient.back(), 77);
    }
  }
}

TYPED_TEST(TilesTest, SumBlockSumsOverSamples) {
  const auto left = this->whole_numbers(3 * kRows);
  std::vector<TypeParam> sums(3);
  sum_block(sums.data(), left.data(), 3, kRows);
  for (std::size_t o = 0; o < sums.size(); ++o) {
    TypeParam sum = 0;
    for (std::size_t s = 0; s < kRows; ++s) {
      sum += left.data()[o * kRows + s];
    }
    EXPECT_EQ(sums[o], sum);
  }
}

}  // namespace
}  // namespace gradmill::ml
