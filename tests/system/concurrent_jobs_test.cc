// Several jobs at once on the same nodes.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

/// Submits a job of short rounds that goes on until it is cancelled.
void submit_endless_job(const Cluster& cluster,
                        const std::string& id,
                        const std::string& weight = "1") {
  const Ended submitted = cluster.client({"job",
                                          "submit",
                                          "train",
                                          "--data",
                                          GRADMILL_LETTERS,
                                          "--rounds=100000",
                                          "--epochs=5",
                                          "--hidden=24",
                                          "--eta=0.0001",
                                          "--min-loss-change=0",
                                          "--weight=" + weight,
                                          "--id=" + id,
                                          "--no-wait"});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
}

/// Results of node `n` that counted for the job.
std::uint64_t tasks_of(const Cluster& cluster, const std::string& job, std::size_t n) {
  const nlohmann::json shown = cluster.ask({"job", "show", job});
  for (const nlohmann::json& node : shown.at("nodes")) {
    if (node.at("node") == cluster.node_address(n)) {
      return node.at("tasks").get<std::uint64_t>();
    }
  }
  return 0;
}

/// Whether both jobs get results from node `n` within 6 s.
testing::AssertionResult both_go_on(const Cluster& cluster, std::size_t n) {
  const std::uint64_t one = tasks_of(cluster, "one", n);
  const std::uint64_t two = tasks_of(cluster, "two", n);
  const bool go_on = eventually(
      [&] { return tasks_of(cluster, "one", n) > one && tasks_of(cluster, "two", n) > two; },
      seconds(6));
  return go_on ? testing::AssertionSuccess() : testing::AssertionFailure() << "on node " << n;
}

TEST(ConcurrentJobs, AShortOneEndsWhileALongOneRunsWithTheSameBitsAsAlone) {
  const Cluster cluster;
  const std::string alone = hash_of(cluster.train(short_job()));
  ASSERT_NO_FATAL_FAILURE(submit_endless_job(cluster, "long"));
  ASSERT_TRUE(eventually([&] { return tasks_of(cluster, "long", 0) > 0; }));
  EXPECT_EQ(hash_of(cluster.train(short_job())), alone);
  EXPECT_EQ(cluster.ask({"job", "show", "long"}).at("state"), "running");
  EXPECT_EQ(cluster.client({"job", "cancel", "long"}).code, 0);
}

TEST(ConcurrentJobs, AllHaveTheHashesThatTheyHaveAlone) {
  const Cluster cluster;
  std::vector<std::vector<std::string>> jobs(3, short_job());
  for (std::size_t n = 0; n < jobs.size(); ++n) {
    jobs[n][1] = "6";
    jobs[n] = with(jobs[n], {"--seed", std::to_string(n)});
  }
  std::vector<std::string> alone;
  for (const auto& job : jobs) {
    alone.push_back(hash_of(cluster.train(job)));
  }
  std::vector<std::unique_ptr<Process>> clients;
  for (const auto& job : jobs) {
    clients.push_back(std::make_unique<Process>(command("client", cluster.train_words(job))));
  }
  for (std::size_t n = 0; n < jobs.size(); ++n) {
    EXPECT_EQ(finish(*clients[n]), alone[n]) << clients[n]->err();
  }
}

TEST(ConcurrentJobs, ShareTheSlotsByWeight) {
  const Cluster cluster;
  ASSERT_NO_FATAL_FAILURE(submit_endless_job(cluster, "one"));
  ASSERT_NO_FATAL_FAILURE(submit_endless_job(cluster, "two", "4"));
  ASSERT_TRUE(both_go_on(cluster, 0));
  const auto all_of = [&](const char* job) {
    return tasks_of(cluster, job, 0) + tasks_of(cluster, job, 1);
  };
  const std::uint64_t one = all_of("one");
  const std::uint64_t two = all_of("two");
  ASSERT_TRUE(eventually([&] { return all_of("two") > two + 1000; }, seconds(60)));
  // Less than four to one: a round's last tasks leave slots to the other job.
  EXPECT_GT(static_cast<double>(all_of("two") - two),
            1.5 * static_cast<double>(all_of("one") - one));
  EXPECT_EQ(cluster.ask({"job", "show", "two"}).at("weight"), 4);
  for (const char* id : {"one", "two"}) {
    EXPECT_EQ(cluster.client({"job", "cancel", id}).code, 0);
  }
}

TEST(ConcurrentJobs, BothGoOnAfterANodesDeathAndShareItAgainOnceItIsBack) {
  Cluster cluster;
  for (const char* id : {"one", "two"}) {
    ASSERT_NO_FATAL_FAILURE(submit_endless_job(cluster, id));
  }
  ASSERT_TRUE(both_go_on(cluster, 0));
  ASSERT_TRUE(both_go_on(cluster, 1));
  cluster.node(1).signal(SIGKILL);
  EXPECT_TRUE(both_go_on(cluster, 0));
  cluster.restart_node(1);
  EXPECT_TRUE(both_go_on(cluster, 1));
  const std::uint64_t one = tasks_of(cluster, "one", 0) + tasks_of(cluster, "one", 1);
  const std::uint64_t two = tasks_of(cluster, "two", 0) + tasks_of(cluster, "two", 1);
  EXPECT_GT(one, two / 3) << "the shares are equal";
  EXPECT_GT(two, one / 3);
  for (const char* id : {"one", "two"}) {
    EXPECT_EQ(cluster.client({"job", "cancel", id}).code, 0);
  }
}

}  // namespace
}  // namespace gradmill::system_test
