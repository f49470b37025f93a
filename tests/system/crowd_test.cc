// Many clients, and many jobs: each is served, and nothing of them stays.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/resource_base.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

// Each is a process, and those of the sanitizers are large.
constexpr int kClients = kSanitized ? 20 : 100;

TEST(Crowd, OfClientsAtOnceGetsItsResults) {
  Cluster cluster;
  const std::string right = hash_of(cluster.train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  const Base coordinator(cluster.coordinator().pid());
  const Base node(cluster.node(0).pid());
  std::vector<std::unique_ptr<Process>> clients;
  for (int n = 0; n < kClients; ++n) {
    clients.push_back(
        std::make_unique<Process>(command("client", cluster.train_words(short_job()))));
  }
  for (const auto& client : clients) {
    EXPECT_EQ(client->wait(seconds(150)), 0) << client->err();
    EXPECT_EQ(nlohmann::json::parse(client->out(), nullptr, false).value("parameters_sha256", ""),
              right);
  }
  const nlohmann::json jobs = cluster.ask({"job", "list", "--limit", "0"});
  ASSERT_EQ(jobs.size(), kClients + 1U);
  for (std::size_t n = 1; n < jobs.size(); ++n) {
    EXPECT_GE(jobs[n - 1].at("submitted"), jobs[n].at("submitted")) << "the newest come first";
  }
  coordinator.expect();
  node.expect();
}

#ifndef __SANITIZE_ADDRESS__  // Which keeps what is freed.

TEST(Memory, DoesNotGrowWithJobs) {
  const Folder data;
  data.write("train_1.txt", "1,2,0\n3,4,1\n");
  data.write("train_2.txt", "5,2,0\n3,9,1\n");
  data.write("validate_1.txt", "1,2,0\n");
  // 500 kB of weights: one copy that stays with each job shows.
  const std::vector<std::string> job = {data.path(), "2", "1", "25000", "0.0001"};
  Cluster cluster;
  const auto train = [&](int jobs) {
    for (int n = 0; n < jobs; ++n) {
      ASSERT_EQ(cluster.train(job).code, 0);
    }
  };
  train(60);  // Caches and the allocator's arenas are full.
  const std::vector<int> servers = {
      cluster.coordinator().pid(), cluster.node(0).pid(), cluster.node(1).pid()};
  std::vector<std::int64_t> before;
  for (const int pid : servers) {
    before.push_back(usage_of(pid).resident_bytes);
  }
  train(100);
  for (std::size_t n = 0; n < servers.size(); ++n) {
    EXPECT_LE(usage_of(servers[n]).resident_bytes - before[n], kGrowthMax) << "server " << n;
  }
}

#endif

}  // namespace
}  // namespace gradmill::system_test
