// Statistics of real queries to real processes.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;

const std::string kValidation = std::string(GRADMILL_LETTERS) + "/validate_letters.txt";

std::uint64_t lines_of(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t lines = 0;
  for (std::string line; std::getline(file, line);) {
    ++lines;
  }
  return lines;
}

/// What holds for statistics of at least one query, whatever was measured.
void expect_sound(const json& queries) {
  for (const char* const part : {"queue_seconds", "compute_seconds", "total_seconds"}) {
    const json& one = queries.at(part);
    EXPECT_GE(one.at("sd"), 0) << part;
    EXPECT_GE(one.at("p50"), 0) << part;
    EXPECT_LE(one.at("p50"), one.at("p90")) << part;
    EXPECT_LE(one.at("p90"), one.at("p95")) << part;
    EXPECT_LE(one.at("p95"), one.at("p99")) << part;
  }
  const auto mean = [&](const char* part) { return queries.at(part).at("mean").get<double>(); };
  EXPECT_GT(mean("compute_seconds"), 0);
  EXPECT_GE(mean("total_seconds"), mean("queue_seconds") + mean("compute_seconds"));
  EXPECT_GE(queries.at("total_seconds").at("p99"), queries.at("compute_seconds").at("p99"));
  EXPECT_GT(queries.at("seconds"), 0);
}

class Statistics : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cluster_.train(with(short_job(), {"--id", "trained"})).code, 0);
    ASSERT_TRUE(eventually([&] { return predict().code == 0; }));
  }
  Ended predict() const {
    return cluster_.client({"predict", "letters", "--file", kValidation, "--labelled"});
  }
  json of_job(const std::string& id) const { return cluster_.ask({"job", "stats", id}); }

  Cluster cluster_;
};

TEST_F(Statistics, CountEachBatchOfAJobAndOutliveTheCoordinator) {
  const Ended ended = cluster_.client({"job",
                                       "submit",
                                       "predict",
                                       "--model",
                                       "letters",
                                       "--labelled",
                                       "--data",
                                       kValidation,
                                       "--batch-size",
                                       "100",
                                       "--id",
                                       "p"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::uint64_t rows = lines_of(kValidation);
  const std::uint64_t batches = (rows + 99) / 100;
  const json found = of_job("latest");
  EXPECT_EQ(found.at("job_id"), "p");
  EXPECT_EQ(found.at("kind"), "prediction");
  EXPECT_EQ(found.at("state"), "succeeded");
  EXPECT_EQ(found.at("tasks").at("queries"), batches);
  EXPECT_EQ(found.at("tasks").at("rows"), rows);
  expect_sound(found.at("tasks"));
  const json listed = cluster_.ask({"job", "list"})[0];
  EXPECT_EQ(listed.at("tasks"), batches);
  EXPECT_GE(listed.at("seconds"), 0);
  EXPECT_EQ(cluster_.ask({"model", "stats", "letters"}).at("batches").at("queries"), batches);

  const json trained = of_job("trained");
  EXPECT_EQ(trained.at("kind"), "training");
  EXPECT_EQ(trained.at("tasks").at("queries"), cluster_.ask({"job", "list"})[1].at("tasks"));
  expect_sound(trained.at("tasks"));

  cluster_.restart_coordinator();
  EXPECT_EQ(of_job("p"), found);
  EXPECT_EQ(of_job("trained"), trained);
}

TEST_F(Statistics, CountEachRequestToAModel) {
  const json before = cluster_.ask({"model", "stats", "letters"}).at("requests");
  const json one = cluster_.ask({"model", "stats", "letters@champion"});
  EXPECT_EQ(one.at("model"), "letters");
  EXPECT_EQ(one.at("version"), 1);
  for (int n = 0; n < 5; ++n) {
    EXPECT_EQ(
        cluster_.client({"predict", "letters", "--row", "2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8"}).code,
        0);
  }
  const json after = cluster_.ask({"model", "stats", "letters@1"}).at("requests");
  EXPECT_EQ(after.at("queries"), before.at("queries").get<std::uint64_t>() + 5);
  EXPECT_EQ(after.at("rows"), before.at("rows").get<std::uint64_t>() + 5);
  EXPECT_GT(after.at("queries_per_second"), 0);
  expect_sound(after);
  bool answered = false;
  for (const json& node : cluster_.ask({"node", "list", "--tasks"})) {
    answered = answered || !node.at("last_query_seconds_ago").is_null();
  }
  EXPECT_TRUE(answered);
}

TEST_F(Statistics, ShowWhatNodesWorkOn) {
  cluster_.submit_endless_job("e");
  json seen;
  EXPECT_TRUE(eventually([&] {
    for (const json& node : cluster_.ask({"node", "list", "--tasks"})) {
      for (const json& task : node.at("tasks")) {
        if (task.at("job_id") == "e") {
          seen = node;
          return true;
        }
      }
    }
    return false;
  }));
  EXPECT_EQ(seen.at("state"), "alive");
  EXPECT_EQ(seen.at("tasks")[0].at("job_id"), "e");
  EXPECT_EQ(seen.at("tasks")[0].at("kind"), "training");
  EXPECT_GE(seen.at("tasks")[0].at("round"), 1);
  EXPECT_GE(seen.at("tasks")[0].at("shard"), 1);
  EXPECT_NE(seen.at("member_since").get<std::string>().find('T'), std::string::npos);
  EXPECT_TRUE(eventually([&] { return of_job("e").at("tasks").at("queries_per_second") > 0; }));
  expect_sound(of_job("e").at("tasks"));
  EXPECT_EQ(cluster_.client({"job", "cancel", "e"}).code, 0);
  EXPECT_EQ(of_job("e").at("tasks").at("queries_per_second"), 0);
  EXPECT_EQ(of_job("e").at("state"), "cancelled");
}

TEST_F(Statistics, AreTextForPeople) {
  const Ended job = cluster_.client({"job", "stats", "trained", "--format", "text"});
  EXPECT_EQ(job.code, 0);
  EXPECT_EQ(job.out.find("job trained, succeeded: "), 0U) << job.out;
  for (const char* const part : {"\nTIME ", "\nqueue ", "\ncompute ", "\ntotal "}) {
    EXPECT_NE(job.out.find(part), std::string::npos) << job.out;
  }
  const Ended nodes = cluster_.client({"node", "list", "--tasks", "--format", "text"});
  EXPECT_EQ(nodes.code, 0);
  EXPECT_EQ(nodes.out.find("NODE "), 0U) << nodes.out;
}

TEST_F(Statistics, OfWhatIsNotThereAreRefused) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"job", "stats", "nobody"},
        std::vector<std::string>{"model", "stats", "nothing"},
        std::vector<std::string>{"model", "stats", "letters@77"},
        std::vector<std::string>{"model", "stats", "letters@nick"}}) {
    const Ended ended = cluster_.client(words);
    EXPECT_EQ(ended.code, cluster_.client({"job", "show", "nobody"}).code) << words[2];
    EXPECT_TRUE(ended.out.empty()) << ended.out;
    EXPECT_NE(ended.err.find(words[2].substr(0, 7)), std::string::npos) << ended.err;
  }
  EXPECT_EQ(cluster_.client({"model", "stats", "a/b"}).code, 2);
  EXPECT_EQ(cluster_.client({"job", "stats"}).code, 2);
}

}  // namespace
}  // namespace gradmill::system_test
