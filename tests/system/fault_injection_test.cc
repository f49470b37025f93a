// Faults that clients have processes inject: each strikes, and a job ends with the same bits or
// says why not.

#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kEnable = "--enable-fault-injection";

class FaultInjection : public testing::Test {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(short_job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }

  static Cluster::Options enabled() {
    Cluster::Options options;
    options.node_options.emplace_back(kEnable);
    options.coordinator_options = {kEnable, "--capacity-timeout", "5s"};
    return options;
  }

  /// Faults of the process in `client fault list`.
  static json faults_of(const Cluster& cluster, const std::string& server) {
    for (const json& one : cluster.ask({"fault", "list"})) {
      if (one.at("server") == server) {
        return one;
      }
    }
    return {};
  }

  static void set(const Cluster& cluster, std::vector<std::string> words) {
    words.insert(words.begin(), {"fault", "set"});
    static_cast<void>(cluster.ask(words));
  }

  static std::string undisturbed_;
};
std::string FaultInjection::undisturbed_;

TEST_F(FaultInjection, EachFaultOfANodeStrikesAndTheBitsAreTheSame) {
  const Cluster cluster(enabled());
  const std::string node = cluster.node_address(0);
  const std::vector<std::pair<std::vector<std::string>, std::string>> faults = {
      {{"--drop-requests", "1"}, "drop_requests"},
      {{"--drop-replies", "1"}, "drop_replies"},
      {{"--delay-ms", "20"}, "delay"},
      {{"--corrupt", "1"}, "corrupt"},
      {{"--slow", "3"}, "slow"},
  };
  for (const auto& [words, name] : faults) {
    set(cluster, with({node}, words));
    EXPECT_EQ(hash_of(cluster.train(short_job())), undisturbed_) << name;
    EXPECT_GT(faults_of(cluster, node).at("injected").at(name), 0) << name;
    EXPECT_EQ(cluster.standing(0).at("state"), "alive") << "heartbeats are spared: " << name;
    // Set aside for its last fault, the node might get no task before the next job ends.
    static_cast<void>(cluster.ask({"fault", "clear"}));
    EXPECT_TRUE(eventually([&] {
      const std::uint64_t tasks = cluster.stats(0).at("tasks");
      static_cast<void>(cluster.train(short_job()));
      return cluster.stats(0).at("tasks") > tasks;
    }));
  }
  const json left = faults_of(cluster, node);
  EXPECT_EQ(left.at("faults").at("slow"), 1.0);
  EXPECT_EQ(left.at("faults").at("delay_ms"), 0);
}

TEST_F(FaultInjection, LargeDeltasAreSpoiledWhereTheyAreFetched) {
  const Cluster cluster(enabled());
  const std::vector<std::string> wide = {GRADMILL_LETTERS, "1", "1", "6500", "0.0001"};
  const std::string hash = hash_of(cluster.train(wide));
  ASSERT_EQ(hash.size(), 64U) << hash;
  set(cluster, {cluster.node_address(0), "--corrupt", "1"});
  EXPECT_EQ(hash_of(cluster.train(wide)), hash);
  EXPECT_GT(faults_of(cluster, cluster.node_address(0)).at("injected").at("corrupt"), 0);
}

class FaultPreset : public FaultInjection, public testing::WithParamInterface<const char*> {};

TEST_P(FaultPreset, EveryJobEndsRightOrSaysWhyNot) {
  const Cluster cluster(enabled());
  set(cluster, {"all", GetParam()});
  const Ended ended = cluster.train(short_job());
  if (ended.code == 0) {
    EXPECT_EQ(hash_of(ended), undisturbed_);
  } else {
    ASSERT_EQ(ended.code, 1) << ended.err;
    const json job = cluster.ask({"job", "show", "latest"});
    EXPECT_EQ(job.at("state"), "failed");
    EXPECT_NE(job.at("message"), "") << job;
  }
  static_cast<void>(cluster.ask({"fault", "clear"}));
  EXPECT_EQ(hash_of(cluster.train(short_job())), undisturbed_) << "nothing is left behind";
}

INSTANTIATE_TEST_SUITE_P(All, FaultPreset, testing::Values("low", "mid", "high"));

TEST_F(FaultInjection, ANodeCrashesAsTheTaskBegins) {
  Cluster cluster(enabled());
  set(cluster, {cluster.node_address(0), "--crash-after", "3"});
  EXPECT_EQ(hash_of(cluster.train(short_job())), undisturbed_);
  EXPECT_EQ(cluster.node(0).wait(seconds(10)), 128 + SIGKILL);
  EXPECT_EQ(cluster.stats(0).at("tasks"), 2);
  EXPECT_NE(faults_of(cluster, cluster.node_address(0)).at("problem"), "");
  const Ended refused = cluster.client({"fault", "set", cluster.node_address(0), "mid"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  cluster.restart_node(0);
  EXPECT_EQ(faults_of(cluster, cluster.node_address(0)).at("faults").at("crash_after"), 0);
}

TEST_F(FaultInjection, OfTheCoordinatorStrikesCallsOfClients) {
  Cluster cluster(enabled());
  set(cluster, {"coordinator", "--delay-ms", "10"});
  EXPECT_EQ(hash_of(cluster.train(short_job())), undisturbed_);
  EXPECT_GT(faults_of(cluster, "coordinator").at("injected").at("delay"), 0);
  set(cluster, {"coordinator", "--drop-requests", "1"});
  EXPECT_EQ(cluster.client({"job", "list"}).code, 4);
  set(cluster, {"coordinator", "--drop-replies", "1"});
  EXPECT_EQ(cluster.client({"job", "list"}).code, 4);
  set(cluster, {"coordinator", "--crash-after", "2"});
  EXPECT_EQ(cluster.client({"job", "list"}).code, 0);
  EXPECT_EQ(cluster.client({"job", "list"}).code, 4);
  EXPECT_EQ(cluster.coordinator().wait(seconds(10)), 128 + SIGKILL);
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.client({"job", "list"}).code, 0);
}

void expect_refused(const Ended& ended, int code, const std::string& culprit) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err.rfind("client: ", 0), 0U) << ended.err;
  EXPECT_NE(ended.err.find(culprit), std::string::npos) << ended.err;
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

TEST(FaultRefusal, WithoutTheOptionAndOfWhatIsUnknown) {
  Cluster::Options options;
  options.load = {"0"};
  const Cluster cluster(options);
  const std::string node = cluster.node_address(0);
  const std::string without = " was not started with --enable-fault-injection";
  expect_refused(cluster.client({"fault", "set", node, "mid"}), 5, "node " + node + without);
  expect_refused(cluster.client({"fault", "clear"}), 5, "node " + node + without);
  expect_refused(
      cluster.client({"fault", "set", "coordinator", "mid"}), 5, "the coordinator" + without);
  expect_refused(cluster.client({"fault", "set", "127.0.0.1:1", "mid"}),
                 6,
                 "there is no node 127.0.0.1:1; see client node list");
  expect_refused(cluster.client({"fault", "set", node, "worst"}), 2, "'worst'");
  expect_refused(cluster.client({"fault", "set", node, "--explode", "1"}), 2, "--explode");
  expect_refused(cluster.client({"fault", "set", node, "--corrupt", "1.1"}), 2, "--corrupt: '1.1'");
  expect_refused(cluster.client({"fault", "set", "coordinator", "--slow", "2"}), 2, "--slow");
  expect_refused(cluster.client({"fault", "set", node}), 2, "no fault is given");
  EXPECT_EQ(cluster.ask({"fault", "list"}).size(), 2U);
}

TEST(FaultRefusal, OfSomeNodesIsReportedForEach) {
  Cluster::Options options;
  options.load = {"0"};
  options.node_options = {kEnable};
  options.other_ports = {unused_port()};
  const Cluster cluster(options);
  const Ended ended = cluster.client({"fault", "set", "all", "mid", "--format", "json"});
  EXPECT_EQ(ended.code, 4) << ended.err;
  const json reports = json::parse(ended.out);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].at("faults").at("drop_requests"), 0.3);
  EXPECT_NE(std::string(reports[1].at("problem")).find("connection refused"), std::string::npos);
}

}  // namespace
}  // namespace gradmill::system_test
