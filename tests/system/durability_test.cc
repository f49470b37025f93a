// A coordinator that is killed and started again goes on with its jobs, and with the same bits.

#include <signal.h>

#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kTakenUp = "goes on after round ";

class Durability : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto start = Clock::now();
    undisturbed_ = hash_of(Cluster().train(many_rounds()));
    length_ = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }
  static std::string undisturbed_;
  static milliseconds length_;  // Of the job, undisturbed.
};
std::string Durability::undisturbed_;
milliseconds Durability::length_{};

/// The round that the coordinator went on from, or nothing.
std::optional<int> taken_up_from(Process& coordinator) {
  const std::string err = coordinator.err();
  const std::size_t words = err.find(kTakenUp);
  return words == std::string::npos
             ? std::nullopt
             : std::optional(std::atoi(err.c_str() + words + std::string(kTakenUp).size()));
}

/// A start of a job, each with kills at moments of its own until the job has ended.
void kill_at_moments(std::uint64_t seed, milliseconds longest, const std::string& expected) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Cluster cluster;
  Process client(command("client", cluster.train_words(many_rounds())));
  ASSERT_TRUE(eventually([&] { return !cluster.ask({"job", "list"}).empty(); }));
  std::uniform_int_distribution<int> moment(10, static_cast<int>(longest.count()));
  for (int kill = 0; kill < 4; ++kill) {
    if (client.wait(milliseconds(moment(random))) >= 0) {
      break;
    }
    cluster.kill_coordinator();
    const int shown = last_round_shown(client);
    cluster.restart_coordinator();
    EXPECT_GE(taken_up_from(cluster.coordinator()).value_or(shown), shown);
  }
  EXPECT_EQ(finish(client), expected) << client.err();
}

TEST_F(Durability, KilledAtAnyMomentTheJobEndsWithTheSameBits) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    kill_at_moments(seed, length_ / 2, undisturbed_);
  }
}

TEST_F(Durability, TheFirstTaskIsHandedOutWithinTwoSecondsOfARestart) {
  Cluster cluster;
  Process client(command("client", cluster.train_words(many_rounds())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  cluster.submit_endless_job("next");
  cluster.kill_coordinator();
  const auto start = Clock::now();
  cluster.restart_coordinator();
  EXPECT_TRUE(eventually(
      [&] {
        const nlohmann::json nodes = cluster.ask({"node", "list"});
        const nlohmann::json stats = cluster.ask({"node", "stats"});
        return nodes[0].at("running") > 0 || nodes[1].at("running") > 0 ||
               stats[0].at("tasks") > 0 || stats[1].at("tasks") > 0;
      },
      seconds(2)));
  EXPECT_LT(Clock::now() - start, seconds(2));
  EXPECT_EQ(finish(client), undisturbed_) << client.err();
}

TEST_F(Durability, EndedJobsKeepTheirResultsOverARestart) {
  Cluster cluster;
  const Ended trained = cluster.train(with(many_rounds(), {"--id", "kept"}));
  EXPECT_EQ(hash_of(trained), undisturbed_);
  const nlohmann::json before = cluster.ask({"job", "show", "kept"});
  cluster.restart_coordinator();
  nlohmann::json after = cluster.ask({"job", "show", "kept"});
  EXPECT_EQ(after, before);
  const Ended followed = cluster.client({"job", "follow", "kept", "--format", "json"});
  EXPECT_EQ(hash_of(followed), undisturbed_);
  EXPECT_EQ(nlohmann::json::parse(followed.out).at("rounds"),
            nlohmann::json::parse(trained.out).at("rounds"));
  EXPECT_EQ(hash_of(cluster.train(with(many_rounds(), {"--id", "kept"}))), undisturbed_)
      << "submitted again";
  EXPECT_EQ(cluster.ask({"job", "list"}).size(), 1U);
}

TEST_F(Durability, JobsInLineKeepTheirOrderOverARestart) {
  Cluster::Options options;
  options.coordinator_options = {"--max-running-jobs", "1"};
  Cluster cluster(options);
  cluster.submit_endless_job("first");
  Process second(command("client", with(cluster.train_words(many_rounds()), {"--id", "second"})));
  ASSERT_TRUE(second.says("pending, 1 ahead", seconds(30))) << second.err();
  Process third(command("client", with(cluster.train_words(many_rounds()), {"--id", "third"})));
  ASSERT_TRUE(third.says("pending, 2 ahead", seconds(30))) << third.err();
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.ask({"job", "show", "second"}).at("ahead"), 1);
  EXPECT_EQ(cluster.ask({"job", "show", "third"}).at("ahead"), 2);
  EXPECT_EQ(cluster.client({"job", "cancel", "first"}).code, 0);
  EXPECT_EQ(finish(second), undisturbed_) << second.err();
  EXPECT_EQ(finish(third), undisturbed_) << third.err();
}

// The client reads, says hello, uploads and submits meanwhile.
TEST(Submission, KilledDuringSubmissionThereIsOneJob) {
  std::vector<std::string> job = many_rounds();
  job[1] = "10";
  const std::string undisturbed = hash_of(Cluster().train(job));
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int> moment(0, 60);
  for (int n = 0; n < 8; ++n) {
    SCOPED_TRACE("try " + std::to_string(n));
    Cluster cluster;
    const std::vector<std::string> words = with(cluster.train_words(job), {"--id", "only"});
    std::optional<Process> client(std::in_place, command("client", words));
    static_cast<void>(client->wait(milliseconds(moment(random))));
    cluster.restart_coordinator();
    if (client->wait(milliseconds(100)) == 4) {
      client.emplace(command("client", words));  // It had not reached the coordinator yet.
    }
    EXPECT_EQ(finish(*client), undisturbed) << client->err();
    EXPECT_EQ(cluster.ask({"job", "list"}).size(), 1U);
  }
}

TEST(Submission, AJobWhoseIdWasPrintedIsThere) {
  Cluster cluster;
  for (int n = 0; n < 5; ++n) {
    const std::string id = "job-" + std::to_string(n);
    const Ended submitted = cluster.client({"job",
                                            "submit",
                                            "train",
                                            "--data",
                                            GRADMILL_LETTERS,
                                            "--rounds=500",
                                            "--epochs=20",
                                            "--hidden=24",
                                            "--eta=0.0001",
                                            "--id=" + id,
                                            "--no-wait"});
    cluster.kill_coordinator();
    ASSERT_EQ(submitted.out, id + "\n") << submitted.err;
    cluster.restart_coordinator();
    EXPECT_EQ(cluster.ask({"job", "show", id}).at("job_id"), id);
  }
}

}  // namespace
}  // namespace gradmill::system_test
