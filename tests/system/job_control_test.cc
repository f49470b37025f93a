// Cancel, pause and resume: all nodes know, and nothing runs on.

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// Tasks of about a tenth of a second.
std::vector<std::string> long_tasks(const std::string& rounds) {
  return {
      GRADMILL_LETTERS, rounds, "1500", "24", "0.0001", "--min-loss-change", "0", "--id", "job"};
}

bool is_idle(const Cluster& cluster) {
  for (const json& node : cluster.ask({"node", "list"})) {
    if (node.at("running") != 0) {
      return false;
    }
  }
  return true;
}

/// Ticks of the processor that a process has had.
long ticks_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(stat.substr(stat.rfind(')') + 1));
  const std::vector<std::string> fields((std::istream_iterator<std::string>(rest)), {});
  return std::stol(fields.at(11)) + std::stol(fields.at(12));
}

/// Whether the node uses next to no time of the processor for 300 ms.
bool is_quiet(Cluster& cluster, std::size_t node) {
  const long before = ticks_of(cluster.node(node).pid());
  std::this_thread::sleep_for(milliseconds(300));
  const long share = (ticks_of(cluster.node(node).pid()) - before) * 1000 / ::sysconf(_SC_CLK_TCK);
  return share < 60;
}

/// More than any test waits for.
constexpr const char* kEndless = "100000";

class JobControl : public testing::Test {
 protected:
  /// Starts a job, and waits until it runs on both nodes.
  void start_job(const std::string& rounds) {
    client_ =
        std::make_unique<Process>(command("client", cluster_.train_words(long_tasks(rounds))));
    ASSERT_TRUE(eventually([&] {
      const json nodes = cluster_.ask({"node", "list"});
      return nodes.at(0).at("running") > 0 && nodes.at(1).at("running") > 0;
    }));
  }
  /// Of the same job, from start to end.
  [[nodiscard]] std::string undisturbed(const std::string& rounds) const {
    std::vector<std::string> words = long_tasks(rounds);
    words.back() = "undisturbed";
    return hash_of(cluster_.train(words));
  }

  Cluster cluster_;
  std::unique_ptr<Process> client_;
};

TEST_F(JobControl, NothingOfACancelledJobRunsOn) {
  ASSERT_NO_FATAL_FAILURE(start_job(kEndless));
  EXPECT_EQ(cluster_.ask({"job", "cancel", "job"}).at("state"), "cancelled");
  EXPECT_TRUE(is_idle(cluster_));
  EXPECT_TRUE(is_quiet(cluster_, 0));
  EXPECT_TRUE(is_quiet(cluster_, 1));
  EXPECT_EQ(client_->wait(seconds(10)), 3) << client_->err();
  EXPECT_EQ(cluster_.client({"job", "cancel", "job"}).code, 0) << "twice is as good";
  EXPECT_EQ(cluster_.client({"job", "resume", "job"}).code, 2) << "it has ended";
}

TEST_F(JobControl, CancelEndsInTimeThoughANodeHangs) {
  ASSERT_NO_FATAL_FAILURE(start_job(kEndless));
  cluster_.node(0).signal(SIGSTOP);
  const auto start = Clock::now();
  const Ended cancel = cluster_.client({"job", "cancel", "job"});
  EXPECT_EQ(cancel.code, 0) << cancel.err;
  EXPECT_LT(Clock::now() - start, seconds(10));
  EXPECT_TRUE(is_idle(cluster_));
  cluster_.node(0).signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return is_quiet(cluster_, 0); }));
  EXPECT_EQ(client_->wait(seconds(10)), 3) << client_->err();
}

TEST_F(JobControl, APausedJobStaysSoOverARestartAndEndsWithTheSameBits) {
  const std::string rounds = "4";
  ASSERT_NO_FATAL_FAILURE(start_job(rounds));
  EXPECT_EQ(cluster_.ask({"job", "pause", "job"}).at("state"), "paused");
  EXPECT_TRUE(is_idle(cluster_));
  EXPECT_TRUE(is_quiet(cluster_, 0));
  cluster_.restart_coordinator();
  ASSERT_TRUE(eventually([&] { return cluster_.standing(1).at("state") == "alive"; }));
  EXPECT_EQ(cluster_.ask({"job", "show", "job"}).at("state"), "paused");
  EXPECT_TRUE(is_idle(cluster_));
  const std::string expected = undisturbed(rounds);  // Others go past a paused job.
  EXPECT_EQ(cluster_.client({"job", "resume", "job"}).code, 0);
  EXPECT_EQ(finish(*client_), expected) << client_->err();
}

TEST_F(JobControl, ACancelledJobStaysSoOverARestart) {
  ASSERT_NO_FATAL_FAILURE(start_job(kEndless));
  EXPECT_EQ(cluster_.client({"job", "cancel", "job"}).code, 0);
  cluster_.restart_coordinator();
  EXPECT_EQ(cluster_.ask({"job", "show", "job"}).at("state"), "cancelled");
  EXPECT_TRUE(is_idle(cluster_));
}

}  // namespace
}  // namespace gradmill::system_test
