#include "coordinator/core/job/batches.h"

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

using Batches = std::vector<Batch>;

TEST(Batches, CoverAllRowsInOrderAndCrossNoShard) {
  const std::vector<std::uint64_t> rows = {5, 3};
  EXPECT_EQ(cut_batches(rows, 0, 2, 100),
            (Batches{{0, {0, 2}}, {0, {2, 2}}, {0, {4, 1}}, {1, {0, 2}}, {1, {2, 1}}}));
  EXPECT_EQ(cut_batches(rows, 0, 100, 100), (Batches{{0, {0, 5}}, {1, {0, 3}}}));
}

TEST(Batches, BeginAtAnyRow) {
  const std::vector<std::uint64_t> rows = {5, 3};
  EXPECT_EQ(cut_batches(rows, 4, 2, 100), (Batches{{0, {4, 1}}, {1, {0, 2}}, {1, {2, 1}}}));
  EXPECT_EQ(cut_batches(rows, 5, 2, 100), (Batches{{1, {0, 2}}, {1, {2, 1}}}));
  EXPECT_EQ(cut_batches(rows, 6, 2, 100), (Batches{{1, {1, 2}}}));
  EXPECT_EQ(cut_batches(rows, 8, 2, 100), Batches{});
}

TEST(Batches, AreNoMoreThanAskedFor) {
  EXPECT_EQ(cut_batches(std::vector<std::uint64_t>{5, 3}, 1, 1, 2),
            (Batches{{0, {1, 1}}, {0, {2, 1}}}));
}

}  // namespace
}  // namespace gradmill::coordinator
