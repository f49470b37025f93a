#include "ml/row_order.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

using testing::ElementsAre;
using Order = std::vector<std::uint32_t>;

/// The whole of one epoch.
Order epoch_order(std::uint64_t seed,
                  std::uint64_t epoch,
                  std::uint32_t shard,
                  std::uint32_t rows) {
  RowOrder order(seed, shard, rows, rows, epoch);
  const auto batch = order.next();
  return {batch.begin(), batch.end()};
}

Order next_batch(RowOrder& order) {
  const auto batch = order.next();
  return {batch.begin(), batch.end()};
}

// A second implementation, in Python, of SplitMix64 and of Fisher's and Yates' shuffle.
TEST(RowOrder, IsTheSameOnEveryMachine) {
  EXPECT_THAT(epoch_order(1, 0, 0, 10), ElementsAre(5, 2, 1, 0, 7, 9, 4, 6, 3, 8));
  EXPECT_THAT(epoch_order(1, 1, 0, 10), ElementsAre(0, 2, 8, 3, 1, 9, 4, 6, 5, 7));
  EXPECT_THAT(epoch_order(1, 0, 3, 10), ElementsAre(3, 0, 6, 2, 4, 1, 9, 7, 5, 8));
  EXPECT_THAT(epoch_order((std::uint64_t{1} << 63U) + 5, 0, 0, 10),
              ElementsAre(0, 2, 6, 8, 5, 7, 1, 3, 4, 9));
}

TEST(RowOrder, IsAPermutationInEachEpoch) {
  for (const std::uint32_t rows : {1U, 2U, 3U, 16U, 97U, 1500U}) {
    for (const std::uint32_t batch_size : {1U, 2U, 7U, 16U, 1499U, 1500U, 4000U}) {
      RowOrder order(5, 2, rows, batch_size, 0);
      for (int epoch = 0; epoch < 3; ++epoch) {
        Order seen;
        while (seen.size() < rows) {
          const Order batch = next_batch(order);
          const std::size_t left = rows - seen.size();
          ASSERT_EQ(batch.size(), std::min<std::size_t>(left, batch_size));
          seen.insert(seen.end(), batch.begin(), batch.end());
        }
        std::sort(seen.begin(), seen.end());
        Order all(rows);
        std::iota(all.begin(), all.end(), 0U);
        ASSERT_EQ(seen, all);
      }
    }
  }
}

TEST(RowOrder, CountsTheStepsOfAnEpoch) {
  EXPECT_EQ(RowOrder::steps_per_epoch(1, 1), 1);
  EXPECT_EQ(RowOrder::steps_per_epoch(1, 9), 1);
  EXPECT_EQ(RowOrder::steps_per_epoch(9, 9), 1);
  EXPECT_EQ(RowOrder::steps_per_epoch(10, 9), 2);
  EXPECT_EQ(RowOrder::steps_per_epoch(UINT32_MAX, 1), UINT32_MAX);
  EXPECT_EQ(RowOrder::steps_per_epoch(UINT32_MAX, UINT32_MAX), 1);
}

TEST(RowOrder, DiffersBetweenEpochsShardsAndSeeds) {
  std::vector<Order> orders;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
      for (std::uint32_t shard = 0; shard < 4; ++shard) {
        orders.push_back(epoch_order(seed, epoch, shard, 40));
      }
    }
  }
  std::sort(orders.begin(), orders.end());
  EXPECT_EQ(std::unique(orders.begin(), orders.end()), orders.end());
}

TEST(RowOrder, StartedAtAStepIsTheWalkThere) {
  for (const std::uint32_t batch_size : {1U, 4U, 10U, 13U, 99U}) {
    constexpr std::uint64_t kSteps = 40;
    std::vector<Order> walk;
    RowOrder from_start(9, 3, 13, batch_size, 0);
    for (std::uint64_t step = 0; step < kSteps; ++step) {
      walk.push_back(next_batch(from_start));
    }
    for (std::uint64_t start = 0; start < kSteps; ++start) {
      RowOrder order(9, 3, 13, batch_size, start);
      for (std::uint64_t step = start; step < std::min(kSteps, start + 15); ++step) {
        ASSERT_EQ(next_batch(order), walk[step]) << batch_size << ": " << start << " to " << step;
      }
    }
  }
}

TEST(RowOrder, ReachesFarStepsAtOnce) {
  RowOrder order(1, 0, 10, 3, 4'000'000'000'000'000'003U);
  EXPECT_EQ(next_batch(order).size(), 1);
  EXPECT_EQ(next_batch(order).size(), 3);
}

/// The sum of (count - expected)^2 / expected.
double chi_squared(const std::vector<std::size_t>& counts) {
  const double expected =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0})) /
      static_cast<double>(counts.size());
  double sum = 0;
  for (const std::size_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

/// What chi-squared exceeds with a probability of about 1e-5, by Wilson and Hilferty.
double chi_squared_limit(double freedom) {
  const double part = 2 / (9 * freedom);
  return freedom * std::pow(1 - part + 4.26 * std::sqrt(part), 3);
}

/// Counts of each of the 24 orders of four rows over what `order_of` gives for 0, 1, 2 …
template <class F>
double spread_of_four(const F& order_of) {
  std::map<Order, std::size_t> counts;
  for (std::uint32_t k = 0; k < 24'000; ++k) {
    ++counts[order_of(k)];
  }
  std::vector<std::size_t> values;
  for (const auto& [order, count] : counts) {
    values.push_back(count);
  }
  values.resize(24);
  return chi_squared(values);
}

TEST(RowOrder, TakesEveryPermutationAlikeOverTheEpochs) {
  EXPECT_LT(spread_of_four([](std::uint32_t k) { return epoch_order(1, k, 0, 4); }),
            chi_squared_limit(23));
}

TEST(RowOrder, TakesEveryPermutationAlikeOverTheShards) {
  EXPECT_LT(spread_of_four([](std::uint32_t k) { return epoch_order(1, 0, k, 4); }),
            chi_squared_limit(23));
}

TEST(RowOrder, TakesEveryPermutationAlikeOverTheSeeds) {
  EXPECT_LT(spread_of_four([](std::uint32_t k) { return epoch_order(k, 0, 0, 4); }),
            chi_squared_limit(23));
}

TEST(RowOrder, PutsEveryRowInEveryPlaceAlike) {
  constexpr std::uint32_t kRows = 13;
  std::vector<std::size_t> counts(std::size_t{kRows} * kRows);
  for (std::uint64_t epoch = 0; epoch < 13'000; ++epoch) {
    const Order order = epoch_order(7, epoch, 1, kRows);
    for (std::size_t place = 0; place < kRows; ++place) {
      ++counts[place * kRows + order[place]];
    }
  }
  EXPECT_LT(chi_squared(counts), chi_squared_limit((kRows - 1.0) * (kRows - 1.0)));
}

TEST(RowOrder, OfAnEpochSaysNothingOfTheNext) {
  constexpr std::uint32_t kRows = 8;
  std::vector<std::size_t> counts(std::size_t{kRows} * kRows);
  Order last = epoch_order(3, 0, 0, kRows);
  for (std::uint64_t epoch = 1; epoch < 16'000; ++epoch) {
    Order order = epoch_order(3, epoch, 0, kRows);
    ++counts[last[0] * kRows + order[0]];
    last = order;
  }
  EXPECT_LT(chi_squared(counts), chi_squared_limit(kRows * kRows - 1.0));
}

}  // namespace
}  // namespace gradmill::ml
