// Servers that run out of what they need say so, serve what they can, and recover.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/raw_peer.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool answers_hello(const RawPeer& peer) {
  return peer.is_open() && peer.send(hello_frame()) && peer.receive_frame().size() > 4;
}

TEST(Limits, ClientsBeyondTheLimitTakeThePlaceOfIdleOnes) {
  Cluster::Options options;
  options.coordinator_options = {"--max-clients", "4"};
  Cluster cluster(options);
  std::vector<RawPeer> idle;
  for (int i = 0; i < 20; ++i) {
    idle.emplace_back(cluster.port());
    EXPECT_TRUE(answers_hello(idle.back())) << i;
  }
  EXPECT_TRUE(idle.front().closed_within(seconds(5)));
  EXPECT_EQ(hash_of(cluster.train(short_job())).size(), 64U);
}

#ifdef __SANITIZE_ADDRESS__
// The sanitizers need some to look at memory, and report nonsense without them.
constexpr int kDescriptors = 256;
#else
constexpr int kDescriptors = 64;
#endif

TEST(Limits, DescriptorsComeBack) {
  Cluster::Options options;
  options.coordinator_limits = "ulimit -n " + std::to_string(kDescriptors);
  options.node_limits = options.coordinator_limits;
  Cluster cluster(options);
  const std::string right = hash_of(cluster.train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  {
    std::vector<RawPeer> peers;
    for (int i = 0; i < 200; ++i) {
      peers.emplace_back(cluster.port());
      peers.emplace_back(cluster.node_port(0));
      EXPECT_TRUE(answers_hello(peers[peers.size() - 2])) << i;
    }
    EXPECT_TRUE(cluster.coordinator().says("fewer connections at a time than", seconds(0)));
    // 64 or half of them are not for connections; some of those are in use.
    constexpr int kMost = kDescriptors - std::min(64, kDescriptors / 2) + 8;
    EXPECT_LE(usage_of(cluster.coordinator().pid()).descriptors, kMost);
    EXPECT_LE(usage_of(cluster.node(0).pid()).descriptors, kMost);
    EXPECT_EQ(hash_of(cluster.train(short_job())), right) << "while they are there";
  }
  EXPECT_EQ(hash_of(cluster.train(short_job())), right) << "when they are gone";
}

/// Shell commands after which a program has at most `threads` threads. Root has any number of them,
/// so that the program's real user is one that nobody else is, and its rights are root's otherwise.
std::string with_threads(int threads) {
  static int users = 0;
  const std::string user = std::to_string(1'000'000'000 + 8 * ::getpid() + users++);
  return "ulimit -u " + std::to_string(threads) + " && exec /usr/bin/setpriv --ruid=" + user +
         " --bounding-set=-sys_resource,-sys_admin \"$0\" \"$@\"";
}

class FewThreads : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can start a program as a user of its own";
    }
  }
};

TEST_F(FewThreads, AreEnoughForJobsAndComeBack) {
  Cluster::Options options;
  options.load = {"0"};
  options.node_options = {"--threads", "4"};
  options.node_limits = with_threads(16);
  options.coordinator_limits = with_threads(16);
  Cluster cluster(options);
  // Once it is, the coordinator has its thread for the node's tasks.
  ASSERT_TRUE(cluster.coordinator().says("node_alive", seconds(20)));
  std::string right;
  {
    std::vector<RawPeer> peers;  // Each takes a thread.
    for (int i = 0; i < 100; ++i) {
      for (const std::uint16_t port : {cluster.port(), cluster.node_port(0)}) {
        peers.emplace_back(port);
        EXPECT_TRUE(answers_hello(peers.back())) << i;
      }
    }
    for (Process* server : {&cluster.coordinator(), &cluster.node(0)}) {
      EXPECT_TRUE(
          server->says("cannot serve a connection: Resource temporarily unavailable", seconds(10)))
          << server->err();
    }
    right = hash_of(cluster.train(short_job()));
    EXPECT_EQ(right.size(), 64U) << right;
  }
  EXPECT_EQ(hash_of(cluster.train(short_job())), right);
  for (Process* server : {&cluster.coordinator(), &cluster.node(0)}) {
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(seconds(10)), 0) << server->err();
  }
}

TEST_F(FewThreads, EndAServerThatNeedsMoreInOneLineAtItsStart) {
  std::vector<std::string> words = {
      "/bin/bash", "-c", with_threads(8), std::string(GRADMILL_BIN) + "/compute_node"};
  Process node(with(words, {"0", "0", "--threads", "16"}));
  EXPECT_EQ(node.wait(seconds(20)), 1);
  EXPECT_EQ(node.err(),
            "compute_node: cannot start its threads: Resource temporarily unavailable\n");
  words[2] = with_threads(4);
  words.back() = std::string(GRADMILL_BIN) + "/coordinator";
  const Folder state;
  Process coordinator(with(words, {"0", "random", "--state-dir", state.path("state")}));
  EXPECT_EQ(coordinator.wait(seconds(20)), 1);
  EXPECT_EQ(coordinator.err(),
            "coordinator: cannot start its threads: the limit of threads or processes is "
            "reached\n");
}

#ifndef __SANITIZE_ADDRESS__  // Which needs address space without limit.

TEST(Limits, AddressSpaceSuffices) {
  Cluster::Options options;
  options.coordinator_limits = "ulimit -v 600000";
  options.node_limits = options.coordinator_limits;
  Cluster cluster(options);
  const std::string right = hash_of(cluster.train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  std::vector<RawPeer> peers;  // Each takes a thread, and its stack.
  for (int i = 0; i < 200; ++i) {
    for (const std::uint16_t port : {cluster.port(), cluster.node_port(0)}) {
      peers.emplace_back(port);
      EXPECT_TRUE(answers_hello(peers.back())) << i;
    }
  }
  EXPECT_EQ(hash_of(cluster.train(short_job())), right) << "while they are there";
  for (const RawPeer& peer : peers) {
    EXPECT_FALSE(peer.closed_within(milliseconds(1)));
  }
}

TEST(Limits, ATaskThatDoesNotFitFailsAndTheNodeGoesOn) {
  Cluster::Options options;
  options.load = {"0"};
  options.node_options = {"--threads", "2"};
  options.node_limits = "ulimit -v 400000";
  Cluster cluster(options);
  const std::string right = hash_of(cluster.train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  const std::string incarnation = cluster.standing(0).at("incarnation");
  // Weights of 48 MB, and with adam and batches four times that beside them.
  const Ended large = cluster.train({GRADMILL_LETTERS,
                                     "1",
                                     "1",
                                     "3400,3400",
                                     "0.001",
                                     "--optimizer",
                                     "adam",
                                     "--batch-size",
                                     "500"});
  EXPECT_EQ(large.code, 1);
  EXPECT_NE(large.err.find("out of memory"), std::string::npos) << large.err;
  EXPECT_EQ(hash_of(cluster.train(short_job())), right);
  EXPECT_EQ(cluster.standing(0).at("incarnation"), incarnation) << "the same process";
}

TEST(Limits, AddressSpaceComesBack) {
  Cluster::Options options;
  options.coordinator_limits = "ulimit -v 300000";
  options.coordinator_options = {"--max-clients", "1000"};
  Cluster cluster(options);
  const std::string right = hash_of(cluster.train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  {
    std::vector<RawPeer> peers;
    for (int i = 0; i < 400; ++i) {
      peers.emplace_back(cluster.port());
      peers.back().send(hello_frame());
    }
    EXPECT_TRUE(cluster.coordinator().says("cannot serve a connection: ", seconds(20)))
        << cluster.coordinator().err();
  }
  EXPECT_TRUE(eventually([&] { return answers_hello(RawPeer(cluster.port())); }));
  EXPECT_EQ(hash_of(cluster.train(short_job())), right);
}

#endif

TEST(Limits, JobsThatDoNotFitAreRefusedInOneLine) {
  Cluster::Options options;
  options.coordinator_options = {"--cache-bytes", "10000"};
  Cluster cluster(options);
  const Ended refused = cluster.train(short_job());
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err,
              testing::ContainsRegex("have [0-9]+ bytes; .* at most 10000 \\(its --cache-bytes"));
}

TEST(Limits, JobsBeyondTheLimitAreRefusedUntilOneEnds) {
  Cluster::Options options;
  options.coordinator_options = {"--max-jobs", "1"};
  Cluster cluster(options);
  cluster.submit_endless_job("first");
  const Ended second = cluster.train(with(short_job(), {"--reconnect-timeout", "0s"}));
  EXPECT_NE(second.code, 0);
  EXPECT_NE(second.err.find("--max-jobs"), std::string::npos) << second.err;
  ASSERT_EQ(cluster.client({"job", "cancel", "first"}).code, 0);
  EXPECT_EQ(hash_of(cluster.train(short_job())).size(), 64U);
}

}  // namespace
}  // namespace gradmill::system_test
