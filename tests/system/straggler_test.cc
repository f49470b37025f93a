// Slow nodes: their tasks are copied, or a round ends without them where that was asked for.

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::vector<std::string> two_rounds() {
  return {GRADMILL_LETTERS, "2", "10", "24", "0.0001", "--min-loss-change", "0"};
}

/// Nodes that work, and one that delays each task by five seconds.
Cluster::Options with_a_slow_node(std::size_t fast) {
  Cluster::Options options;
  options.policy = "round-robin";
  options.load.assign(fast, "0");
  options.load.emplace_back("1");
  options.node_options = {"--load-delay", "5s"};
  return options;
}

TEST(Stragglers, TheirTasksAreCopiedAndTheBitsAreTheSame) {
  const std::string undisturbed = hash_of(Cluster().train(two_rounds()));
  const Cluster cluster(with_a_slow_node(5));  // It has two of the eleven tasks of a round.
  const auto start = Clock::now();
  EXPECT_EQ(hash_of(cluster.train(two_rounds())), undisturbed);
  EXPECT_LT(Clock::now() - start, seconds(9)) << "without copies a round takes 10 s";
  std::uint64_t copies = 0;
  for (const nlohmann::json& node : cluster.ask({"node", "stats"})) {
    copies += node.at("copies").get<std::uint64_t>();
  }
  EXPECT_GT(copies, 0U);
}

TEST(Quorum, ALateRoundEndsWithoutItsSlowShardsAndSaysSo) {
  const Cluster cluster(with_a_slow_node(1));
  const auto start = Clock::now();
  const Ended result = cluster.train(
      with(two_rounds(), {"--quorum", "5", "--round-deadline", "500ms", "--id", "late"}));
  EXPECT_LT(Clock::now() - start, seconds(8));
  ASSERT_EQ(result.code, 0) << result.err;
  const nlohmann::json parsed = nlohmann::json::parse(result.out);
  EXPECT_EQ(parsed.at("exact"), false);
  ASSERT_FALSE(parsed.at("incomplete_rounds").empty());
  const nlohmann::json& first = parsed.at("incomplete_rounds")[0];
  EXPECT_EQ(first.at("round"), 1);
  EXPECT_FALSE(first.at("missing_shards").empty());
  EXPECT_EQ(cluster.ask({"job", "show", "late"}).at("exact"), false);
  EXPECT_EQ(cluster.ask({"job", "list"})[0].at("exact"), false);
}

TEST(Quorum, ARoundThatIsInTimeIsExact) {
  const std::string undisturbed = hash_of(Cluster().train(two_rounds()));
  const Cluster cluster;
  const Ended result =
      cluster.train(with(two_rounds(), {"--quorum", "0.5", "--round-deadline", "1min"}));
  EXPECT_EQ(hash_of(result), undisturbed);
  EXPECT_EQ(nlohmann::json::parse(result.out).at("exact"), true);
}

}  // namespace
}  // namespace gradmill::system_test
