// The coordinator dies at each point of its writing: no round that anybody saw is lost.

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/strike_points.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kTakenUp = "goes on after round ";

constexpr std::size_t kRounds = 12;

std::vector<std::string> job() {
  return {
      GRADMILL_LETTERS, std::to_string(kRounds), "20", "24", "0.0001", "--min-loss-change", "0"};
}

/// The coordinator died of its own hand: at its start, during the job, or not at all.
struct Death {
  bool came = false;
  int rounds_seen = 0;
};

class CrashPoints : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }

  /// A new job on a new state folder, whose coordinator dies at the point.
  static Death die_and_go_on(Cluster& cluster, const std::string& folder, int occurrence) {
    cluster.use_state_folder(folder);
    cluster.relaunch_coordinator(
        struck_at(cluster, GetParam() + (":" + std::to_string(occurrence))));
    Death death;
    death.came = announced_port(cluster.coordinator()) == 0;
    if (death.came) {
      cluster.restart_coordinator();
    }
    Process client(command("client", cluster.train_words(job())));
    const auto has_died = [&] { return cluster.coordinator().wait(milliseconds(0)) >= 0; };
    EXPECT_TRUE(
        eventually([&] { return has_died() || client.wait(milliseconds(0)) >= 0; }, seconds(60)));
    if (has_died()) {
      death = {true, last_round_shown(client)};
      cluster.restart_coordinator();
    }
    EXPECT_EQ(finish(client), undisturbed_) << client.err();
    EXPECT_EQ(nlohmann::json::parse(client.out()).at("rounds").size(), kRounds);
    expect_kept(cluster, death.rounds_seen);
    return death;
  }

  static void expect_kept(Cluster& cluster, int rounds_seen) {
    const std::string err = cluster.coordinator().err();
    if (const std::size_t words = err.find(kTakenUp); words != std::string::npos) {
      EXPECT_GE(std::atoi(err.c_str() + words + std::string(kTakenUp).size()), rounds_seen) << err;
    }
    EXPECT_EQ(err.find("state_repaired"), std::string::npos) << err;
    EXPECT_EQ(cluster.ask({"job", "list"}).size(), 1U);
  }

  static std::string undisturbed_;
};
std::string CrashPoints::undisturbed_;

TEST_P(CrashPoints, LoseNoRoundThatWasSeen) {
  const Folder folder;
  Cluster cluster;
  int deaths = 0;
  for (const int occurrence : {1, 2, 4, 9, 17}) {
    SCOPED_TRACE(GetParam() + (":" + std::to_string(occurrence)));
    if (!die_and_go_on(cluster, folder.path(std::to_string(occurrence)), occurrence).came) {
      break;  // The point is not reached as often.
    }
    ++deaths;
  }
  EXPECT_GE(deaths, 1);
}

INSTANTIATE_TEST_SUITE_P(Of, CrashPoints, strike_points(), strike_point_name);

}  // namespace
}  // namespace gradmill::system_test
