#include "coordinator/core/shares/node_shares.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/core/policy/uniform_index.h"

namespace gradmill::coordinator {
namespace {

std::vector<NodeSupply> nodes(std::size_t count, std::uint32_t slots = 1) {
  std::vector<NodeSupply> all;
  for (std::size_t n = 0; n < count; ++n) {
    all.push_back({static_cast<NodeId>(n), slots});
  }
  return all;
}

std::vector<NodeDemand> jobs(const std::vector<double>& costs) {
  std::vector<NodeDemand> all;
  for (const double cost : costs) {
    all.push_back({.job = all.size() + 1, .cost = cost});
  }
  return all;
}

std::vector<std::size_t> counts(const NodeShares& shares) {
  std::vector<std::size_t> all;
  for (const auto& [job, own] : shares) {
    all.push_back(own.size());
  }
  return all;
}

/// Nodes that have another set of jobs than before.
std::size_t changed(const NodeShares& before, const NodeShares& after, std::size_t count) {
  std::size_t changes = 0;
  for (NodeId node = 0; node < count; ++node) {
    const auto jobs_on = [node](const NodeShares& shares) {
      std::set<JobNumber> on;
      for (const auto& [job, own] : shares) {
        if (own.contains(node)) {
          on.insert(job);
        }
      }
      return on;
    };
    changes += jobs_on(before) != jobs_on(after) ? 1U : 0U;
  }
  return changes;
}

TEST(NodeShares, GoByCostAndWeightByLargestRemainders) {
  using Counts = std::vector<std::size_t>;
  EXPECT_EQ(counts(share_out(jobs({1, 1}), nodes(4), {})), Counts({2, 2}));
  EXPECT_EQ(counts(share_out(jobs({3, 1}), nodes(4), {})), Counts({3, 1}));
  EXPECT_EQ(counts(share_out(jobs({5.4, 4.6}), nodes(10), {})), Counts({5, 5}));
  EXPECT_EQ(counts(share_out(jobs({5.6, 4.4}), nodes(10), {})), Counts({6, 4}));
  EXPECT_EQ(counts(share_out(jobs({2.6, 2.5, 4.9}), nodes(10), {})), Counts({3, 2, 5}));
  std::vector<NodeDemand> weighted = jobs({1, 1});
  weighted[1].weight = 3;
  EXPECT_EQ(counts(share_out(weighted, nodes(8), {})), Counts({2, 6}));
}

TEST(NodeShares, GoBySlotsWhereNodesDiffer) {
  const std::vector<NodeSupply> mixed = {{0, 4}, {1, 1}, {2, 1}, {3, 2}};
  const NodeShares shares = share_out(jobs({1, 1}), mixed, {});
  EXPECT_EQ(shares.at(1), std::set<NodeId>({0}));
  EXPECT_EQ(shares.at(2), std::set<NodeId>({1, 2, 3}));
}

TEST(NodeShares, NoJobIsWithoutANodeHoweverLittleItCosts) {
  using Counts = std::vector<std::size_t>;
  EXPECT_EQ(counts(share_out(jobs({1e6, 1e-6, 1e-9}), nodes(6), {})), Counts({4, 1, 1}));
  EXPECT_EQ(counts(share_out(jobs({1, 1e9, 1}), nodes(3), {})), Counts({1, 1, 1}));
}

TEST(NodeShares, AJobThatComesTakesOneNodeAfterTheOtherFromThoseWithMost) {
  const NodeShares before = share_out(jobs({1, 1}), nodes(9), {});
  const NodeShares after = share_out(jobs({1, 1, 1}), nodes(9), before);
  EXPECT_EQ(counts(after), std::vector<std::size_t>({3, 3, 3}));
  EXPECT_EQ(changed(before, after, 9), 3U);
}

TEST(NodeShares, TheNodesOfAJobThatEndsGoToTheOthersAndNothingElseMoves) {
  const NodeShares before = share_out(jobs({1, 1, 1}), nodes(9), {});
  std::vector<NodeDemand> left = jobs({1, 1, 1});
  left.erase(left.begin() + 1);
  const NodeShares after = share_out(left, nodes(9), before);
  EXPECT_EQ(changed(before, after, 9), 3U);
  EXPECT_EQ(after.at(1).size() + after.at(3).size(), 9U);
}

TEST(NodeShares, SmallChangesOfCostsMoveNothing) {
  NodeShares shares = share_out(jobs({1, 1}), nodes(3), {});
  const NodeShares first = shares;
  for (const double cost : {1.2, 0.8, 1.3, 0.75, 1.0}) {
    shares = share_out(jobs({cost, 1}), nodes(3), shares);
    EXPECT_EQ(shares, first) << cost;
  }
  EXPECT_NE(share_out(jobs({first.at(1).size() > 1 ? 0.1 : 10, 1}), nodes(3), shares), first);
}

TEST(NodeShares, ADeadNodeIsReplacedAndComesBackToItsJob) {
  const NodeShares before = share_out(jobs({1, 1}), nodes(3), {});
  const JobNumber poor = before.at(1).size() == 1 ? 1 : 2;
  const NodeId dead = *before.at(poor).begin();
  std::vector<NodeSupply> alive = nodes(3);
  alive.erase(alive.begin() + dead);
  const NodeShares after = share_out(jobs({1, 1}), alive, before);
  EXPECT_EQ(counts(after), std::vector<std::size_t>({1, 1})) << "it gets one of the other's";
  const NodeShares again = share_out(jobs({1, 1}), nodes(3), after);
  EXPECT_EQ(changed(after, again, 3), 1U) << "only the one that is back";
}

TEST(NodeShares, JobsShareANodeWhereThereAreFewer) {
  const NodeShares shares = share_out(jobs({4, 1, 1, 1, 1}), nodes(2), {});
  for (const auto& [job, own] : shares) {
    EXPECT_EQ(own.size(), 1U);
  }
  for (const JobNumber job : {2, 3, 4, 5}) {
    EXPECT_NE(shares.at(job), shares.at(1)) << "four cost what the first one does";
  }
  EXPECT_TRUE(share_out(jobs({1, 2}), {}, shares).empty());
  EXPECT_TRUE(share_out({}, nodes(2), shares).empty());
}

TEST(NodeShares, TheFirstJobThatIsOneTooManyDisturbsOneOther) {
  const NodeShares before = share_out(jobs({1, 1, 1}), nodes(3), {});
  const NodeShares after = share_out(jobs({1, 1, 1, 1}), nodes(3), before);
  EXPECT_EQ(changed(before, after, 3), 1U);
  const NodeShares again = share_out(jobs({1, 1, 1}), nodes(3), after);
  EXPECT_EQ(again, before);
}

/// Each node has a job, each job a node; one job a node or one node a job; and if nodes are alike,
/// no job is farther from its quota than largest remainders and hysteresis allow.
void check(const std::vector<NodeDemand>& some,
           const std::vector<NodeSupply>& supply,
           const NodeShares& shares) {
  ASSERT_EQ(shares.size(), some.size());
  std::map<NodeId, std::size_t> jobs_on;
  for (const auto& [job, own] : shares) {
    ASSERT_FALSE(own.empty());
    ASSERT_TRUE(own.size() == 1 || some.size() <= supply.size());
    for (const NodeId node : own) {
      ++jobs_on[node];
    }
  }
  for (const NodeSupply& node : supply) {
    ASSERT_GE(jobs_on[node.node], 1U);
    ASSERT_TRUE(jobs_on[node.node] == 1 || some.size() > supply.size());
  }
  const bool are_alike = std::all_of(supply.begin(), supply.end(), [&](const NodeSupply& node) {
    return node.slots == supply.front().slots;
  });
  double all = 0;
  for (const NodeDemand& job : some) {
    all += job.cost;
  }
  for (const NodeDemand& one : some) {
    for (const NodeDemand& two : some) {
      const auto lack = [&](const NodeDemand& job) {
        return static_cast<double>(supply.size()) * job.cost / all -
               static_cast<double>(shares.at(job.job).size());
      };
      const bool may_give = shares.at(two.job).size() > 1;
      if (are_alike && may_give && lack(one) >= 0 && lack(two) <= 0 &&
          some.size() < supply.size()) {
        // A node that each has in any case makes the others' quotas smaller, never larger.
        ASSERT_LE(lack(one) - lack(two), 1.5 + static_cast<double>(some.size()));
      }
    }
  }
}

TEST(NodeShares, HoldInRandomLives) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 dice(seed);
    NodeShares shares;
    for (int step = 0; step < 20; ++step) {
      std::vector<NodeDemand> some;
      for (JobNumber job = 1; job <= 8; ++job) {
        if (uniform_index(dice, 2) == 0) {
          some.push_back(
              {.job = job, .cost = std::exp2(static_cast<double>(uniform_index(dice, 8)))});
        }
      }
      std::vector<NodeSupply> supply;
      for (NodeId node = 0; node < 12; ++node) {
        if (uniform_index(dice, 3) > 0) {
          supply.push_back(
              {node, 1 + static_cast<std::uint32_t>(uniform_index(dice, 2) * (seed % 3))});
        }
      }
      if (some.empty() || supply.empty()) {
        continue;
      }
      const NodeShares next = share_out(some, supply, shares);
      ASSERT_EQ(next, share_out(some, supply, shares));
      EXPECT_EQ(share_out(some, supply, next), next) << "nothing moves without a cause";
      check(some, supply, next);
      if (HasFatalFailure()) {
        return;
      }
      shares = next;
    }
  }
}

}  // namespace
}  // namespace gradmill::coordinator
