#include "ml/kernel/tile_loops.h"

#include <cstddef>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradmill::ml {
namespace {

using testing::ElementsAre;
using testing::Pair;

using Tiles = std::vector<std::pair<std::size_t, std::size_t>>;

Tiles tiles_of(std::size_t size, std::size_t most) {
  Tiles tiles;
  for_each_tile(
      size, most, [&](std::size_t first, std::size_t count) { tiles.emplace_back(first, count); });
  return tiles;
}

TEST(ForEachTile, DividesEvenly) {
  EXPECT_THAT(tiles_of(0, 13), ElementsAre());
  EXPECT_THAT(tiles_of(1, 13), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(tiles_of(13, 13), ElementsAre(Pair(0, 13)));
  EXPECT_THAT(tiles_of(14, 13), ElementsAre(Pair(0, 7), Pair(7, 7)));
  EXPECT_THAT(tiles_of(26, 13), ElementsAre(Pair(0, 13), Pair(13, 13)));
  EXPECT_THAT(tiles_of(27, 13), ElementsAre(Pair(0, 9), Pair(9, 9), Pair(18, 9)));
}

TEST(ForEachTile, CoversAllOnceInPiecesThatDifferByAtMostOne) {
  for (const std::size_t most : {1U, 2U, 3U, 6U, 13U, 24U, 128U}) {
    for (std::size_t size = 1; size <= 300; ++size) {
      const Tiles tiles = tiles_of(size, most);
      EXPECT_EQ(tiles.size(), (size + most - 1) / most);
      std::size_t end = 0;
      for (const auto& [first, count] : tiles) {
        EXPECT_EQ(first, end);
        EXPECT_LE(count, most);
        EXPECT_GE(count, size / tiles.size());
        EXPECT_LE(count, size / tiles.size() + 1);
        end += count;
      }
      EXPECT_EQ(end, size);
    }
  }
}

TEST(WithConstant, CallsWithTheNumberItself) {
  for (std::size_t n = 1; n <= 24; ++n) {
    std::size_t calls = 0;
    with_constant<24>(n, [&]<std::size_t N>(Index<N>) {
      EXPECT_EQ(N, n);
      ++calls;
    });
    EXPECT_EQ(calls, 1);
  }
}

}  // namespace
}  // namespace gradmill::ml
