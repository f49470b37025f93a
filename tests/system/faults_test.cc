// Nodes that fail do not fail the job, and do not change its bits.

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(long_job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }
  static std::string undisturbed_;
};
std::string Faults::undisturbed_;

TEST_F(Faults, NodeDownAtTheStartComesLater) {
  Cluster cluster;
  cluster.node(1).signal(SIGKILL);
  ASSERT_EQ(cluster.node(1).wait(seconds(5)), 128 + SIGKILL);
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.restart_node(1);
  EXPECT_EQ(finish(client), undisturbed_);
  EXPECT_TRUE(cluster.coordinator().says("node_alive node=" + cluster.node_address(1), seconds(10)))
      << cluster.coordinator().err();
}

TEST_F(Faults, NodeKilledWhileItTrains) {
  Cluster cluster;
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.node(0).signal(SIGKILL);
  EXPECT_EQ(finish(client), undisturbed_);
}

TEST(ServerOptimizer, SameBitsWhenANodeIsKilledAndWhenSubmittedTwice) {
  for (const char* const optimizer : {"momentum", "adam"}) {
    std::vector<std::string> job = long_job();
    job[1] = "12";
    job[2] = "60";
    job.insert(
        job.end(),
        {"--server-optimizer", optimizer, "--server-eta", "0.5", "--server-momentum", "0.7"});
    Cluster cluster;
    const std::string undisturbed = hash_of(cluster.train(job));
    ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
    Process client(command("client", cluster.train_words(job)));
    ASSERT_TRUE(client.says("round 2/", seconds(60))) << client.err();
    cluster.node(0).signal(SIGKILL);
    EXPECT_EQ(finish(client), undisturbed);
  }
}

TEST_F(Faults, NodeKilledAndBackAgain) {
  Cluster::Options options;
  options.load = {"0"};
  Cluster cluster(options);
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.node(0).signal(SIGKILL);
  ASSERT_EQ(cluster.node(0).wait(seconds(5)), 128 + SIGKILL);
  cluster.restart_node(0);
  EXPECT_EQ(finish(client), undisturbed_);
}

TEST_F(Faults, NodeHangs) {
  Cluster cluster;
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.node(0).signal(SIGSTOP);
  EXPECT_EQ(finish(client), undisturbed_);
  cluster.node(0).signal(SIGCONT);
}

TEST_F(Faults, NodeLeavesOnSigterm) {
  Cluster cluster;
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.node(0).signal(SIGTERM);
  EXPECT_EQ(cluster.node(0).wait(seconds(5)), 0);
  EXPECT_EQ(finish(client), undisturbed_);
}

/// Accepts connections and answers whatever comes with garbage.
class GarbageServer {
 public:
  GarbageServer() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, generic, size), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    EXPECT_EQ(::getsockname(fd_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~GarbageServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve() const {
    for (int client = ::accept(fd_, nullptr, nullptr); client >= 0;
         client = ::accept(fd_, nullptr, nullptr)) {
      const std::string garbage(4096, '\x5a');
      static_cast<void>(::send(client, garbage.data(), garbage.size(), MSG_NOSIGNAL));
      ::close(client);
    }
  }
  int fd_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(Faults, NodeAnswersGarbage) {
  const GarbageServer garbage;
  Cluster::Options options;
  options.load = {"0"};
  options.other_ports = {garbage.port()};
  const Cluster cluster(options);
  EXPECT_EQ(hash_of(cluster.train(long_job())), undisturbed_);
}

TEST(NoCapacity, NoNodeLeftFailsTheJobNamingTheNodes) {
  Cluster::Options options;
  options.load = {};
  options.other_ports = {unused_port(), unused_port()};
  options.coordinator_options = {"--capacity-timeout", "2s"};
  const Cluster cluster(options);
  const Ended result = cluster.train(short_job());
  EXPECT_EQ(result.code, 1);
  for (const std::uint16_t port : options.other_ports) {
    EXPECT_NE(result.err.find("127.0.0.1:" + std::to_string(port)), std::string::npos)
        << result.err;
  }
  EXPECT_NE(result.err.find("refused"), std::string::npos) << result.err;
}

TEST(NoCapacity, OneNodeThatRefusesForEverIsDoneWithout) {
  Cluster::Options options;
  options.load = {"1", "0"};
  const Cluster cluster(options);
  EXPECT_EQ(hash_of(cluster.train(short_job())), hash_of(Cluster().train(short_job())));
  EXPECT_EQ(cluster.stats(0).at("tasks"), 0);
  EXPECT_GT(cluster.stats(0).at("refused"), 0);
}

TEST(NoCapacity, NodesThatRefuseForEverFailTheJob) {
  Cluster::Options options;
  options.load = {"1", "1"};
  options.coordinator_options = {"--capacity-timeout", "2s"};
  const Cluster cluster(options);
  const Ended result = cluster.train(short_job());
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("simulated load"), std::string::npos) << result.err;
}

TEST_F(Faults, ServersLeaveOnSigtermAndTheJobGoesOnAfterARestart) {
  Cluster cluster;
  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.coordinator().signal(SIGTERM);
  EXPECT_EQ(cluster.coordinator().wait(seconds(5)), 0);
  cluster.restart_coordinator();
  EXPECT_EQ(finish(client), undisturbed_) << client.err();
  cluster.node(0).signal(SIGTERM);
  EXPECT_EQ(cluster.node(0).wait(seconds(5)), 0);
}

TEST(SecondSigterm, EndsANodeAtOnce) {
  Cluster cluster;
  const Process client(
      command("client",
              cluster.train_words(
                  {GRADMILL_LETTERS, "1", "1000000", "24", "0.0001", "--min-loss-change", "0"})));
  ASSERT_TRUE(eventually([&] { return cluster.standing(0).value("running", 0) > 0; }));
  Process& node = cluster.node(0);
  node.signal(SIGTERM);
  ASSERT_TRUE(node.says("once more to leave at once", seconds(10))) << node.err();
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait(seconds(5)), 128 + SIGTERM) << node.err();
}

}  // namespace
}  // namespace gradmill::system_test
