// Nodes and the coordinator die, hang and come back at random moments of one job.

#include <signal.h>

#include <chrono>
#include <random>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kBlows = 7;

std::vector<std::string> job() {
  std::vector<std::string> words = many_rounds();
  words[1] = "120";
  return with(words, {"--server-optimizer", "adam", "--server-eta", "0.01"});
}

Cluster::Options quick_to_judge() {
  Cluster::Options options;
  options.load = {"0", "0", "0.2"};
  options.coordinator_options = {
      "--heartbeat-interval", "100ms", "--suspect-after", "300ms", "--failed-after", "600ms"};
  return options;
}

/// The job may have ended by the time of a command.
void expect_taken(const Ended& command) {
  EXPECT_TRUE(command.code == 0 || command.err.find(" ended") != std::string::npos) << command.err;
}

/// Disturbs the cluster once, in a way that `random` chooses.
void strike(Cluster& cluster, std::mt19937_64& random) {
  const std::size_t node = random() % 3;
  switch (random() % 5) {
    case 0:
      cluster.restart_coordinator();
      break;
    case 1:
      cluster.node(node).signal(SIGKILL);
      EXPECT_EQ(cluster.node(node).wait(seconds(10)), 128 + SIGKILL);
      cluster.restart_node(node);
      break;
    case 2:
      cluster.node(node).signal(SIGSTOP);
      cluster.restart_coordinator();
      cluster.node(node).signal(SIGCONT);
      break;
    case 3:
      expect_taken(cluster.client({"job", "pause", "job"}));
      cluster.kill_coordinator();
      cluster.restart_coordinator();
      expect_taken(cluster.client({"job", "resume", "job"}));
      break;
    default:
      cluster.kill_coordinator();
      cluster.node(node).signal(SIGKILL);
      EXPECT_EQ(cluster.node(node).wait(seconds(10)), 128 + SIGKILL);
      cluster.restart_node(node);
      cluster.restart_coordinator();
  }
}

TEST(Chaos, EndsWithTheSameBits) {
  const std::string undisturbed = hash_of(Cluster().train(job()));
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Cluster cluster(quick_to_judge());
    Process client(command("client", with(cluster.train_words(job()), {"--id", "job"})));
    ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
    for (int blow = 0; blow < kBlows; ++blow) {
      if (client.wait(milliseconds(random() % 400)) >= 0) {
        break;
      }
      if (cluster.ask({"job", "show", "job"}).at("ended").is_null()) {
        strike(cluster, random);
      }
    }
    EXPECT_EQ(finish(client), undisturbed) << client.err();
  }
}

TEST(Chaos, ACoordinatorThatHangsForAWhileGoesOn) {
  Cluster::Options options = quick_to_judge();
  options.load = {"0", "0"};
  Cluster cluster(options);
  const std::string undisturbed = hash_of(cluster.train(job()));
  Process client(command("client", cluster.train_words(job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.coordinator().signal(SIGSTOP);
  EXPECT_EQ(client.wait(seconds(1)), -1);
  cluster.coordinator().signal(SIGCONT);
  EXPECT_EQ(finish(client), undisturbed) << client.err();
}

}  // namespace
}  // namespace gradmill::system_test
