// Nodes that come, go, hang and return while a job runs: it ends with the same bits.

#include <signal.h>

#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool becomes(const Cluster& cluster, std::size_t node, const std::string& state) {
  return eventually([&] {
    const json standing = cluster.standing(node);
    return !standing.is_null() && standing.at("state") == state;
  });
}

bool gets_tasks(const Cluster& cluster, std::size_t node) {
  const std::uint64_t before = cluster.stats(node).at("tasks");
  return eventually([&] { return cluster.stats(node).at("tasks") > before; });
}

class Membership : public testing::Test {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }

  /// Some seconds on two nodes.
  static std::vector<std::string> job() {
    std::vector<std::string> words = many_rounds();
    words[1] = "150";
    return words;
  }

  static Cluster::Options quick_to_judge() {
    Cluster::Options options;
    options.coordinator_options = {"--heartbeat-interval",
                                   "100ms",
                                   "--suspect-after",
                                   "400ms",
                                   "--failed-after",
                                   "900ms",
                                   "--forget-after",
                                   "1min"};
    return options;
  }

  /// The job, once it is under way.
  static std::unique_ptr<Process> start_job(const Cluster& cluster) {
    auto client = std::make_unique<Process>(command("client", cluster.train_words(job())));
    EXPECT_TRUE(client->says("round 3/", seconds(60))) << client->err();
    return client;
  }

  /// The same, and one in line that never ends: there are tasks however long a test takes.
  static std::unique_ptr<Process> start_work(const Cluster& cluster) {
    auto client = start_job(cluster);
    cluster.submit_endless_job("endless");
    return client;
  }

  static std::string undisturbed_;
};
std::string Membership::undisturbed_;

TEST_F(Membership, ANodeThatJoinsDuringAJobGetsTasks) {
  Cluster cluster;
  const auto client = start_work(cluster);
  const std::size_t node = cluster.start_joining_node();
  EXPECT_TRUE(becomes(cluster, node, "alive"));
  EXPECT_EQ(cluster.standing(node).at("source"), "joined");
  EXPECT_TRUE(gets_tasks(cluster, node));
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
}

TEST_F(Membership, ANodeAnnouncesItselfAgainToACoordinatorThatForgotIt) {
  Cluster::Options options;
  options.load = {};
  Cluster cluster(options);
  const std::size_t node = cluster.start_joining_node();
  ASSERT_TRUE(becomes(cluster, node, "alive"));
  cluster.use_state_folder(cluster.state_folder() + "-new");
  cluster.restart_coordinator();
  EXPECT_TRUE(becomes(cluster, node, "alive"));
  EXPECT_EQ(hash_of(cluster.train(job())), undisturbed_);
}

TEST_F(Membership, ANodeLeavesAndComesBackByHandDuringAJob) {
  Cluster cluster;
  const auto client = start_work(cluster);
  const json left = cluster.ask({"node", "leave", cluster.node_address(0)});
  EXPECT_EQ(left.at("state"), "left");
  EXPECT_EQ(left.at("running"), 0);
  const std::uint64_t tasks = cluster.stats(0).at("tasks");
  EXPECT_TRUE(gets_tasks(cluster, 1));
  EXPECT_EQ(cluster.stats(0).at("tasks"), tasks);
  static_cast<void>(cluster.ask({"node", "join", cluster.node_address(0)}));
  EXPECT_TRUE(becomes(cluster, 0, "alive"));
  EXPECT_TRUE(gets_tasks(cluster, 0));
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
}

TEST_F(Membership, SigtermOfANodeIsNoFailure) {
  Cluster cluster;
  const auto client = start_job(cluster);
  cluster.node(0).signal(SIGTERM);
  EXPECT_EQ(cluster.node(0).wait(seconds(5)), 0);
  EXPECT_TRUE(becomes(cluster, 0, "left"));
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
  EXPECT_EQ(cluster.stats(0).at("failed"), 0);
  EXPECT_EQ(cluster.standing(0).at("state"), "left");
}

TEST_F(Membership, AKilledNodeFailsAndItsSuccessorIsAnotherIncarnation) {
  Cluster cluster;
  const auto client = start_work(cluster);
  const std::string before = cluster.standing(0).at("incarnation");
  cluster.node(0).signal(SIGKILL);
  ASSERT_EQ(cluster.node(0).wait(seconds(5)), 128 + SIGKILL);
  EXPECT_TRUE(becomes(cluster, 0, "failed"));
  cluster.restart_node(0);
  EXPECT_TRUE(becomes(cluster, 0, "alive"));
  EXPECT_NE(cluster.standing(0).at("incarnation"), before);
  EXPECT_TRUE(gets_tasks(cluster, 0));
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
}

TEST_F(Membership, AHangingNodeIsSuspectedThenFailedThenBack) {
  Cluster cluster(quick_to_judge());
  const auto client = start_work(cluster);
  ASSERT_TRUE(becomes(cluster, 0, "alive"));
  const std::uint64_t suspicions = cluster.stats(0).at("false_suspicions");
  cluster.node(0).signal(SIGSTOP);
  // It is suspect for half a second: too short a time to be sure to ask in it.
  EXPECT_TRUE(
      cluster.coordinator().says("node_suspect node=" + cluster.node_address(0), seconds(20)))
      << cluster.coordinator().err();
  EXPECT_TRUE(becomes(cluster, 0, "failed"));
  cluster.node(0).signal(SIGCONT);
  EXPECT_TRUE(becomes(cluster, 0, "alive"));
  EXPECT_EQ(cluster.stats(0).at("false_suspicions"), suspicions + 1);
  EXPECT_TRUE(gets_tasks(cluster, 0));
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
}

TEST_F(Membership, AJobWaitsForTheFirstNodeToJoin) {
  Cluster::Options options;
  options.load = {};
  Cluster cluster(options);
  Process client(command("client", cluster.train_words(job())));
  ASSERT_TRUE(client.says("no node", seconds(10))) << client.err();
  static_cast<void>(cluster.start_joining_node());
  EXPECT_EQ(finish(client), undisturbed_) << client.err();
}

TEST_F(Membership, AStopOfTheCoordinatorIsNoFailureOfItsNodes) {
  Cluster cluster(quick_to_judge());
  const auto client = start_job(cluster);
  ASSERT_TRUE(becomes(cluster, 0, "alive"));
  ASSERT_TRUE(becomes(cluster, 1, "alive"));
  cluster.coordinator().signal(SIGSTOP);
  std::this_thread::sleep_for(seconds(5));  // More than any call to a node may take.
  cluster.coordinator().signal(SIGCONT);
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
  for (const std::size_t node : {0U, 1U}) {
    EXPECT_EQ(cluster.stats(node).at("failed"), 0);
    EXPECT_EQ(cluster.stats(node).at("heartbeats_missed"), 0);
    EXPECT_EQ(cluster.stats(node).at("false_suspicions"), 0);
  }
  EXPECT_EQ(cluster.coordinator().err().find("warning"), std::string::npos)
      << cluster.coordinator().err();
}

TEST(NodeJoin, RefusesWhatIsNoNode) {
  const Cluster cluster;
  const std::string nobody = "127.0.0.1:" + std::to_string(unused_port());
  const std::string itself = "127.0.0.1:" + std::to_string(cluster.port());
  for (const auto& [address, why] :
       {std::pair(nobody, "connection refused; start the node first"),
        std::pair(itself, "is no compute node; give HOST:PORT of a compute node that runs")}) {
    const Ended join = cluster.client({"node", "join", address});
    EXPECT_EQ(join.code, 2);
    EXPECT_EQ(join.err, "client: " + address + ": " + why + '\n');
  }
  EXPECT_EQ(cluster.ask({"node", "list"}).size(), 2U);
}

TEST_F(Membership, FollowersOfACoordinatorThatEndsAreNoFailure) {
  Cluster cluster;
  const auto client = start_job(cluster);
  cluster.coordinator().signal(SIGTERM);
  EXPECT_EQ(cluster.coordinator().wait(seconds(5)), 0);
  EXPECT_EQ(cluster.coordinator().err().find("failed"), std::string::npos)
      << cluster.coordinator().err();
  cluster.restart_coordinator();
  EXPECT_EQ(finish(*client), undisturbed_) << client->err();
}

TEST(JoinedNode, IsRememberedByARestartedCoordinator) {
  Cluster::Options options;
  options.load = {};
  Cluster cluster(options);
  const std::size_t node = cluster.start_joining_node();
  // It hears that it is a member once that is durable.
  ASSERT_TRUE(cluster.node(node).says(" joined ", seconds(20))) << cluster.node(node).err();
  ASSERT_TRUE(becomes(cluster, node, "alive"));
  cluster.node(node).signal(SIGSTOP);  // It cannot announce itself again.
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.standing(node).at("source"), "joined");
  cluster.node(node).signal(SIGCONT);
  EXPECT_TRUE(becomes(cluster, node, "alive"));
}

}  // namespace
}  // namespace gradmill::system_test
