// Processes of nodes that end, by themselves or all at once, and a shard that they die of.
#include <signal.h>

#include <filesystem>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

void kill_node(Cluster& cluster, std::size_t n) {
  cluster.node(n).signal(SIGKILL);
  ASSERT_EQ(cluster.node(n).wait(seconds(10)), 128 + SIGKILL);
}

TEST(AllNodes, DieTogetherAndComeBackAndTheBitsAreTheSame) {
  Cluster cluster;
  const std::string undisturbed = hash_of(cluster.train(long_job()));
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  for (const std::size_t n : {0, 1}) {
    cluster.node(n).signal(SIGKILL);
  }
  for (const std::size_t n : {0, 1}) {
    EXPECT_TRUE(eventually([&] { return cluster.standing(n).at("state") == "failed"; }));
  }
  EXPECT_EQ(client.wait(milliseconds(0)), -1) << client.err();
  cluster.restart_node(0);
  cluster.restart_node(1);
  EXPECT_EQ(finish(client), undisturbed);
}

/// The node that has a task, or none within a while.
std::optional<std::size_t> busy_node(const Cluster& cluster) {
  std::optional<std::size_t> busy;
  static_cast<void>(eventually(
      [&] {
        for (const std::size_t n : {0, 1}) {
          if (cluster.standing(n).value("running", 0) > 0) {
            busy = n;
          }
        }
        return busy.has_value();
      },
      seconds(5)));
  return busy;
}

TEST(PoisonShard, ThatEndsItsNodesFailsTheJobByItsName) {
  const Folder data;
  data.write("train_1.txt", "1,2,0\n3,4,1\n");
  data.write("validate_1.txt", "1,2,0\n");
  Cluster cluster;
  // No end of it in sight, so that each process dies in the middle.
  const std::vector<std::string> job = {
      data.path(), "1", "1000000000", "4", "0.0001", "--min-loss-change", "0", "--id", "job"};
  Process client(command("client", cluster.train_words(job)));
  ASSERT_TRUE(eventually([&] {
    const nlohmann::json jobs = cluster.ask({"job", "list"});
    return !jobs.empty() && jobs[0].at("state") == "running";
  })) << client.err();
  // A process that is killed before it has said that it had begun does not count.
  for (int kills = 0; kills < 12 && client.wait(milliseconds(0)) < 0; ++kills) {
    if (const std::optional<std::size_t> node = busy_node(cluster)) {
      kill_node(cluster, *node);
      cluster.restart_node(*node);
    }
  }
  EXPECT_EQ(client.wait(seconds(10)), 1) << client.err();
  EXPECT_THAT(client.err(),
              HasSubstr("shard 1 of round 1 ended 4 processes that had begun it, on 2 nodes"));
  EXPECT_EQ(cluster.ask({"job", "show", "job"}).at("state"), "failed");
  EXPECT_EQ(hash_of(cluster.train(short_job())).size(), 64U) << "other jobs are served";
}

class NodeEnds : public testing::TestWithParam<const char*> {};

TEST_P(NodeEnds, ByItselfInTheMiddleOfACallAndTheBitsAreTheSame) {
  const std::string undisturbed = hash_of(Cluster().train(short_job()));
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  const Folder folder;
  folder.write("once", "");
  Cluster::Options options;
  options.node_limits =
      std::string("export LD_PRELOAD=" GRADMILL_END_AT_RESULT) +
      " ASAN_OPTIONS=verify_asan_link_order=0 GRADMILL_TEST_END_BY=" + GetParam() +
      " GRADMILL_TEST_END_ONCE=" + folder.path("once");
  Cluster cluster(options);
  EXPECT_EQ(hash_of(cluster.train(short_job())), undisturbed);
  EXPECT_FALSE(std::filesystem::exists(folder.path("once")));
  EXPECT_TRUE(eventually([&] {
    return (cluster.node(0).wait(milliseconds(0)) < 0) !=
           (cluster.node(1).wait(milliseconds(0)) < 0);
  })) << "one of them has ended";
}

INSTANTIATE_TEST_SUITE_P(By, NodeEnds, testing::Values("exit", "overflow"));

}  // namespace
}  // namespace gradmill::system_test
