#include "compute_node/worker/load_simulation.h"

#include <cmath>

#include <gtest/gtest.h>

namespace gradmill::node {
namespace {

constexpr std::uint64_t kDraws = 20'000;

TaskId offer(std::uint64_t number) { return {.job = "j", .round = 1, .shard = 2, .offer = number}; }

TEST(LoadSimulation, RepeatsBySeedAndDiffersWithEachPartOfTheKey) {
  const LoadSimulation a(0.5, 7, "h:1");
  const LoadSimulation same(0.5, 7, "h:1");
  const LoadSimulation seed(0.5, 8, "h:1");
  const LoadSimulation address(0.5, 7, "h:2");
  int by_seed = 0;
  int by_address = 0;
  int by_job = 0;
  int by_stream = 0;
  for (std::uint64_t n = 1; n <= 200; ++n) {
    const bool refuses = a.refuses({}, offer(n), LoadRule::kRefuseOrDelay);
    EXPECT_EQ(refuses, same.refuses({}, offer(n), LoadRule::kRefuseOrDelay));
    by_seed += refuses != seed.refuses({}, offer(n), LoadRule::kRefuseOrDelay) ? 1 : 0;
    by_address += refuses != address.refuses({}, offer(n), LoadRule::kRefuseOrDelay) ? 1 : 0;
    by_job += refuses != a.refuses(sha256("x"), offer(n), LoadRule::kRefuseOrDelay) ? 1 : 0;
    by_stream += refuses != a.delays({}, offer(n)) ? 1 : 0;
  }
  for (const int differences : {by_seed, by_address, by_job, by_stream}) {
    EXPECT_GT(differences, 50);
  }
}

TEST(LoadSimulation, DoesNotDependOnTheJobsId) {
  const LoadSimulation load(0.5, 1, "h:1");
  for (std::uint64_t n = 1; n <= 50; ++n) {
    TaskId other = offer(n);
    other.job = "another";
    EXPECT_EQ(load.delays({}, offer(n)), load.delays({}, other));
  }
}

TEST(LoadSimulation, ShareIsWithinSixSigmaOfTheProbability) {
  for (const double p : {0.2, 0.4, 0.9}) {
    const LoadSimulation load(p, 3, "127.0.0.1:9000");
    double refused = 0;
    double delayed = 0;
    for (std::uint64_t n = 1; n <= kDraws; ++n) {
      refused += load.refuses({}, offer(n), LoadRule::kRefuseOrDelay) ? 1 : 0;
      delayed += load.delays({}, offer(n)) ? 1 : 0;
    }
    const double bound = 6 * std::sqrt(p * (1 - p) / kDraws);
    EXPECT_NEAR(refused / kDraws, p, bound);
    EXPECT_NEAR(delayed / kDraws, p, bound);
  }
}

TEST(LoadSimulation, ExtremesAreCertain) {
  const LoadSimulation never(0, 1, "h:1");
  const LoadSimulation always(1, 1, "h:1");
  for (std::uint64_t n = 1; n <= 100; ++n) {
    EXPECT_FALSE(never.delays({}, offer(n)));
    EXPECT_TRUE(always.delays({}, offer(n)));
    EXPECT_TRUE(always.refuses({}, offer(n), LoadRule::kRefuseOrDelay));
    EXPECT_FALSE(always.refuses({}, offer(n), LoadRule::kDelay));
  }
}

}  // namespace
}  // namespace gradmill::node
