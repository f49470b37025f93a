#include "coordinator/core/policy/policy.h"

#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "coordinator/core/policy/load_balancing_policy.h"
#include "coordinator/core/policy/random_policy.h"
#include "coordinator/core/policy/round_robin_policy.h"
#include "coordinator/core/policy/uniform_index.h"

namespace gradmill::coordinator {
namespace {

std::vector<NodeView> idle_nodes(std::initializer_list<NodeId> ids) {
  std::vector<NodeView> nodes;
  for (const NodeId id : ids) {
    nodes.push_back({.id = id});
  }
  return nodes;
}

/// Picks `draws` times and expects each node equally often. The bound is 6 standard deviations of a
/// binomial count: a right policy breaks it once in 5e8 seeds, and the seed is fixed.
void expect_uniform(Policy& policy, const std::vector<NodeView>& nodes, int draws) {
  std::map<NodeId, int> counts;
  for (int i = 0; i < draws; ++i) {
    const std::optional<NodeId> node = policy.pick(nodes, 1);
    ASSERT_TRUE(node.has_value());
    ++counts[*node];
  }
  const double p = 1.0 / static_cast<double>(nodes.size());
  const double bound = 6 * std::sqrt(draws * p * (1 - p));
  EXPECT_EQ(counts.size(), nodes.size());
  for (const auto& [node, count] : counts) {
    EXPECT_NEAR(count, draws * p, bound) << "node " << node;
  }
}

TEST(UniformIndex, IsWithoutBias) {
  std::mt19937_64 generator(5);
  std::vector<int> counts(7);
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) {
    ++counts.at(uniform_index(generator, counts.size()));
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, kDraws / 7.0, 6 * std::sqrt(kDraws / 7.0 * 6 / 7));
  }
}

TEST(Policies, PickNothingFromNoNodes) {
  for (const char* name : {"random", "load-balancing", "round-robin"}) {
    EXPECT_EQ(make_policy(name, 1)->pick({}, 1), std::nullopt) << name;
  }
}

TEST(Policies, PickTheOnlyNodeEveryTime) {
  for (const char* name : {"random", "load-balancing", "round-robin"}) {
    const auto policy = make_policy(name, 1);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(policy->pick(idle_nodes({7}), 1), NodeId{7}) << name;
    }
  }
}

TEST(Policies, HaveANumberAndAName) {
  EXPECT_EQ(make_policy("1", 1)->load_rule(), LoadRule::kDelay);
  EXPECT_EQ(make_policy("random", 1)->load_rule(), LoadRule::kDelay);
  EXPECT_EQ(make_policy("2", 1)->load_rule(), LoadRule::kRefuseOrDelay);
  EXPECT_EQ(make_policy("load-balancing", 1)->load_rule(), LoadRule::kRefuseOrDelay);
  EXPECT_EQ(make_policy("3", 1)->load_rule(), LoadRule::kDelay);
  EXPECT_EQ(make_policy("round-robin", 1)->load_rule(), LoadRule::kDelay);
}

TEST(Policies, RefuseAnyOtherNameByNamingIt) {
  for (const char* name : {"", "0", "4", "Random", "round_robin", "1 "}) {
    try {
      static_cast<void>(make_policy(name, 1));
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find("'" + std::string(name) + "'"), std::string::npos);
    }
  }
}

TEST(RandomPolicy, PicksEachLiveNodeEquallyOften) {
  RandomPolicy policy(11);
  expect_uniform(policy, idle_nodes({0, 1, 2, 3, 4}), 50'000);
}

TEST(RandomPolicy, GivesTheNeighboursOfADeadNodeNoMoreThanOthers) {
  RandomPolicy policy(12);
  expect_uniform(policy, idle_nodes({0, 1, 3, 4, 9}), 50'000);
}

TEST(RandomPolicy, PicksBusyNodesToo) {
  RandomPolicy policy(13);
  std::vector<NodeView> nodes = idle_nodes({0, 1, 2});
  nodes[1].in_flight = 100;
  expect_uniform(policy, nodes, 30'000);
}

TEST(RandomPolicy, RepeatsWithItsSeed) {
  RandomPolicy one(14);
  RandomPolicy two(14);
  const std::vector<NodeView> nodes = idle_nodes({0, 1, 2, 3});
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(one.pick(nodes, 1), two.pick(nodes, 1));
  }
}

TEST(RoundRobinPolicy, GoesRound) {
  RoundRobinPolicy policy;
  const std::vector<NodeView> nodes = idle_nodes({0, 1, 2});
  for (const NodeId expected : {0U, 1U, 2U, 0U, 1U, 2U, 0U}) {
    EXPECT_EQ(policy.pick(nodes, 1), expected);
  }
}

TEST(RoundRobinPolicy, SkipsADeadNodeWithoutLosingItsTurn) {
  RoundRobinPolicy policy;
  EXPECT_EQ(policy.pick(idle_nodes({0, 1, 2}), 1), NodeId{0});
  EXPECT_EQ(policy.pick(idle_nodes({0, 2}), 1), NodeId{2});
  EXPECT_EQ(policy.pick(idle_nodes({0, 1, 2}), 1), NodeId{0});
  EXPECT_EQ(policy.pick(idle_nodes({1, 2}), 1), NodeId{1});
}

TEST(RoundRobinPolicy, RemembersItsPlaceWhenNobodyIsThere) {
  RoundRobinPolicy policy;
  EXPECT_EQ(policy.pick(idle_nodes({0, 1, 2}), 1), NodeId{0});
  EXPECT_EQ(policy.pick({}, 1), std::nullopt);
  EXPECT_EQ(policy.pick(idle_nodes({0, 1, 2}), 1), NodeId{1});
}

TEST(RoundRobinPolicy, DoesNotCareForTheOrderOfTheList) {
  RoundRobinPolicy policy;
  EXPECT_EQ(policy.pick(idle_nodes({2, 0, 1}), 1), NodeId{0});
  EXPECT_EQ(policy.pick(idle_nodes({1, 2, 0}), 1), NodeId{1});
  EXPECT_EQ(policy.pick(idle_nodes({0, 2, 1}), 1), NodeId{2});
}

TEST(RoundRobinPolicy, AgreesWithALongWalkOverAChangingList) {
  // The dumber second implementation walks over all ids there can be, one by one.
  constexpr NodeId kIds = 12;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 generator(seed);
    RoundRobinPolicy policy;
    NodeId place = kIds - 1;
    for (int step = 0; step < 50; ++step) {
      std::set<NodeId> alive;
      for (NodeId id = 0; id < kIds; ++id) {
        if (uniform_index(generator, 3) == 0) {
          alive.insert(id);
        }
      }
      std::vector<NodeView> nodes;
      for (const NodeId id : alive) {
        nodes.push_back({.id = id});
      }
      std::optional<NodeId> expected;
      for (NodeId ahead = 1; ahead <= kIds && !expected; ++ahead) {
        if (alive.contains((place + ahead) % kIds)) {
          expected = (place + ahead) % kIds;
        }
      }
      ASSERT_EQ(policy.pick(nodes, 1), expected) << "seed " << seed << " step " << step;
      place = expected.value_or(place);
    }
  }
}

TEST(LoadBalancingPolicy, BreaksTiesAtRandom) {
  LoadBalancingPolicy policy(21);
  expect_uniform(policy, idle_nodes({0, 1, 2, 3}), 40'000);
}

TEST(LoadBalancingPolicy, BreaksTiesAtRandomAmongTheBestOnly) {
  LoadBalancingPolicy policy(22);
  std::vector<NodeView> nodes = idle_nodes({0, 1, 2, 3});
  for (NodeView& node : nodes) {
    node.seconds_per_row = 1;
  }
  nodes[0].seconds_per_row = 2;
  nodes[2].seconds_per_row = 3;
  std::map<NodeId, int> counts;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    ++counts[policy.pick(nodes, 1).value()];
  }
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts[1], kDraws / 2, 6 * std::sqrt(kDraws / 4.0));
}

TEST(LoadBalancingPolicy, PrefersTheFasterNode) {
  LoadBalancingPolicy policy(23);
  EXPECT_EQ(policy.pick(std::vector<NodeView>{{.id = 0, .seconds_per_row = 2},
                                              {.id = 1, .seconds_per_row = 1},
                                              {.id = 2, .seconds_per_row = 3}},
                        1),
            NodeId{1});
}

TEST(LoadBalancingPolicy, PrefersAnIdleNodeToABusyOneOfTheSameSpeed) {
  LoadBalancingPolicy policy(24);
  EXPECT_EQ(policy.pick(std::vector<NodeView>{{.id = 0, .in_flight = 1, .seconds_per_row = 1},
                                              {.id = 1, .in_flight = 0, .seconds_per_row = 1}},
                        1),
            NodeId{1});
}

TEST(LoadBalancingPolicy, WaitsForABusyNodeThatWillFinishFirst) {
  LoadBalancingPolicy policy(25);
  EXPECT_EQ(policy.pick(std::vector<NodeView>{{.id = 0, .in_flight = 1, .seconds_per_row = 1},
                                              {.id = 1, .in_flight = 0, .seconds_per_row = 3}},
                        1),
            std::nullopt);
}

TEST(LoadBalancingPolicy, TakesTheSlowNodeOnceTheFastOneHasEnoughToDo) {
  LoadBalancingPolicy policy(26);
  EXPECT_EQ(policy.pick(std::vector<NodeView>{{.id = 0, .in_flight = 3, .seconds_per_row = 1},
                                              {.id = 1, .in_flight = 0, .seconds_per_row = 3}},
                        1),
            NodeId{1});
}

TEST(LoadBalancingPolicy, TakesTheSlowNodeWhileItHelpsToBeDoneSooner) {
  LoadBalancingPolicy policy(26);
  const std::vector<NodeView> nodes = {{.id = 0, .in_flight = 1, .seconds_per_row = 1},
                                       {.id = 1, .in_flight = 0, .seconds_per_row = 5}};
  // The fast one would have done its own and five more before the slow one has done one.
  EXPECT_EQ(policy.pick(nodes, 5), NodeId{1});
  EXPECT_EQ(policy.pick(nodes, 3), std::nullopt);
}

TEST(LoadBalancingPolicy, FillsAllSlotsOfANode) {
  LoadBalancingPolicy policy(27);
  std::vector<NodeView> nodes = {{.id = 0, .in_flight = 0, .slots = 4, .seconds_per_row = 1},
                                 {.id = 1, .in_flight = 0, .slots = 1, .seconds_per_row = 9}};
  for (; nodes[0].in_flight < 4; ++nodes[0].in_flight) {
    EXPECT_EQ(policy.pick(nodes, 1), NodeId{0});
  }
  EXPECT_EQ(policy.pick(nodes, 1), std::nullopt);
}

TEST(LoadBalancingPolicy, CountsAnUnknownNodeAsFastAsTheFastest) {
  LoadBalancingPolicy policy(28);
  const std::vector<NodeView> nodes = {{.id = 0, .seconds_per_row = 2},
                                       {.id = 1, .seconds_per_row = 0},
                                       {.id = 2, .seconds_per_row = 4}};
  std::set<NodeId> picked;
  for (int i = 0; i < 100; ++i) {
    picked.insert(policy.pick(nodes, 1).value());
  }
  EXPECT_EQ(picked, (std::set<NodeId>{0, 1}));
}

TEST(LoadBalancingPolicy, LetsRefusalsTipTheScale) {
  LoadBalancingPolicy policy(29);
  EXPECT_EQ(
      policy.pick(std::vector<NodeView>{{.id = 0, .seconds_per_row = 1, .refusal_share = 0.3},
                                        {.id = 1, .seconds_per_row = 1, .refusal_share = 0.2}},
                  1),
      NodeId{1});
  // A refusal costs a call and no task, so it never outweighs twice the speed.
  EXPECT_EQ(
      policy.pick(std::vector<NodeView>{{.id = 0, .seconds_per_row = 1, .refusal_share = 1},
                                        {.id = 1, .seconds_per_row = 2.1, .refusal_share = 0}},
                  1),
      NodeId{0});
}

TEST(LoadBalancingPolicy, SurvivesExtremeViews) {
  LoadBalancingPolicy policy(30);
  constexpr std::uint32_t kMost = 0xFFFFFFFFU;
  EXPECT_EQ(policy.pick(
                std::vector<NodeView>{
                    {.id = 0, .in_flight = kMost, .slots = kMost, .seconds_per_row = 1e300},
                    {.id = 1, .in_flight = kMost, .slots = 1, .seconds_per_row = 1e300},
                    {.id = 2, .in_flight = 0, .slots = kMost, .seconds_per_row = 1e-300}},
                1),
            NodeId{2});
}

}  // namespace
}  // namespace gradmill::coordinator
