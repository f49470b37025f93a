// The figures of the course, and the same bits whatever happens, through real processes.

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;

std::vector<double> errors_of(const Ended& result) {
  std::vector<double> errors;
  if (result.code == 0) {
    const json parsed = json::parse(result.out);
    for (const json& round : parsed.at("rounds")) {
      errors.push_back(round.at("validation_error"));
    }
  }
  return errors;
}

std::vector<std::string> course(const std::string& folder,
                                const std::vector<std::string>& numbers,
                                const std::string& activation) {
  std::vector<std::string> words = {folder};
  words.insert(words.end(), numbers.begin(), numbers.end());
  words.insert(words.end(), {"0.0001", "--precision", "double", "--activation", activation});
  return words;
}

std::string letters(const std::string& name) { return std::string(GRADMILL_LETTERS) + "/" + name; }

TEST(Course, FiguresComeOutDigitForDigit) {
  const Cluster cluster;
  Ended result = cluster.train(course(GRADMILL_LETTERS, {"5", "15", "20"}, "ml-py"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(errors_of(result).back(), 0.8054285714285714);
  result = cluster.train(course(GRADMILL_LETTERS, {"5", "15", "20"}, "relu"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(errors_of(result).back(), 0.7691428571428571);
  result = cluster.train(course(GRADMILL_LETTERS, {"3", "75", "24"}, "ml-py"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(errors_of(result), (std::vector<double>{2281.0 / 3500, 1585.0 / 3500, 1295.0 / 3500}));
  result = cluster.train(course(GRADMILL_LETTERS, {"3", "75", "24"}, "relu"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(errors_of(result).back() == 1327.0 / 3500 ||
              errors_of(result).back() == 1328.0 / 3500)
      << errors_of(result).back();
}

TEST(Course, TwentyFiveRoundsReachThePublishedError) {
  const Cluster cluster;
  const Ended result = cluster.train(course(GRADMILL_LETTERS, {"25", "15", "20"}, "ml-py"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(errors_of(result).back(), 0.324);
}

TEST(Course, OneFileAlone) {
  const Folder folder;
  for (const char* const name : {"train_letters1.txt", "validate_letters.txt"}) {
    std::filesystem::copy_file(letters(name), folder.path(name));
  }
  const Cluster cluster;
  const Ended result = cluster.train(course(folder.path(), {"3", "75", "20"}, "ml-py"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(errors_of(result),
            (std::vector<double>{0.7328571428571429, 0.6582857142857143, 0.5965714285714285}));
}

TEST(OddData, Trains) {
  const Cluster cluster;
  const auto trains = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    const Folder folder;
    for (const auto& [name, content] : files) {
      folder.write(name, content);
    }
    const Ended result = cluster.train({folder.path(), "2", "2", "3", "0.01"});
    EXPECT_EQ(hash_of(result).size(), 64U) << result.err;
  };
  const std::pair<std::string, std::string> validate = {"validate_1.txt", "1,2,0\n"};
  trains({{"train_1.txt", "1,2,0\n"}, validate});                          // one row, one class
  trains({{"train_1.txt", "1,2,0"}, {"train_2.txt", "1,2,0"}, validate});  // the same file twice
  trains({{"train_1.txt",
           "\xEF\xBB\xBF"
           "1,2,0\r\n3,4,1\r\n"},
          validate});  // as on Windows
}

TEST(SameBits, ForAnyNumberOfNodesPolicyLoadAndThreads) {
  std::string expected;
  {
    Cluster::Options options;
    options.load = {"0"};
    const Cluster cluster(options);
    expected = hash_of(cluster.train(short_job()));
    ASSERT_EQ(expected.size(), 64U) << expected;
    EXPECT_EQ(hash_of(cluster.train(short_job())), expected) << "submitted again";
  }
  const std::vector<std::vector<std::string>> loads = {
      {"0", "0.5"}, {"0.3", "0", "0.9"}, {"0", "0.2", "0.4", "0.6", "0.8"}};
  const std::vector<std::string> policies = {"random", "load-balancing", "round-robin"};
  for (std::size_t n = 0; n < loads.size(); ++n) {
    Cluster::Options options;
    options.load = loads[n];
    options.policy = policies[n];
    options.node_options = {"--load-delay", "2ms", "--threads", n % 2 == 0 ? "2" : "1"};
    const Cluster cluster(options);
    EXPECT_EQ(hash_of(cluster.train(short_job())), expected) << options.policy;
  }
}

// Mini-batches, an optimiser on each side, rounds shorter than an epoch: nothing of it depends on
// who does the work.
TEST(SameBits, ForAdamInBatchesAndForAPreset) {
  const std::string data = short_job().front();
  const std::vector<std::vector<std::string>> jobs = {
      {data,
       "2",
       "1",
       "40,30",
       "0.005",
       "--optimizer",
       "adam",
       "--batch-size",
       "16",
       "--server-optimizer",
       "adam",
       "--standardize"},
      {data, "--preset", "fast", "--rounds", "6", "--hidden", "64,32"}};
  std::vector<std::string> expected;
  {
    Cluster::Options options;
    options.load = {"0"};
    const Cluster cluster(options);
    for (const auto& job : jobs) {
      expected.push_back(hash_of(cluster.train(job)));
      ASSERT_EQ(expected.back().size(), 64U) << expected.back();
      EXPECT_EQ(hash_of(cluster.train(job)), expected.back()) << "submitted again";
    }
  }
  Cluster::Options options;
  options.load = {"0.5", "0", "0.2"};
  options.node_options = {"--load-delay", "2ms", "--threads", "2"};
  const Cluster cluster(options);
  for (std::size_t n = 0; n < jobs.size(); ++n) {
    EXPECT_EQ(hash_of(cluster.train(jobs[n])), expected[n]);
  }
}

TEST(Results, ModelTimingAndStartFromAModel) {
  const Folder folder;
  const Cluster cluster;
  std::vector<std::string> words = short_job();
  words.insert(words.end(),
               {"--output", folder.path("m.safetensors"), "--timing", folder.path("t.csv")});
  const Ended result = cluster.train(words);
  ASSERT_EQ(result.code, 0) << result.err;
  std::ifstream file(folder.path("m.safetensors"), std::ios::binary);
  const std::string model((std::istreambuf_iterator<char>(file)), {});
  std::uint64_t header = 0;
  ASSERT_GT(model.size(), sizeof header);
  std::memcpy(&header, model.data(), sizeof header);
  EXPECT_EQ(sha256(std::string_view(model).substr(8 + header)).hex(), hash_of(result));

  std::ifstream timing(folder.path("t.csv"));
  std::string line;
  std::size_t rounds = 0;
  std::size_t tasks = 0;
  while (std::getline(timing, line)) {
    rounds += line.starts_with("round,") ? 1U : 0U;
    tasks += line.starts_with("task,") ? 1U : 0U;
  }
  EXPECT_EQ(rounds, 2U);
  EXPECT_EQ(tasks, 22U);

  // Two rounds and two more from the model are four rounds: the early stop aside, averaging has no
  // memory.
  std::vector<std::string> on = short_job();
  on.insert(on.end(), {"--init-from", folder.path("m.safetensors")});
  std::vector<std::string> four = short_job();
  four[1] = "4";
  EXPECT_EQ(hash_of(cluster.train(on)), hash_of(cluster.train(four)));
}

TEST(Jobs, WaitInLineAndAreCancelled) {
  Cluster::Options options;
  options.coordinator_options = {"--max-running-jobs", "1"};
  Cluster cluster(options);
  std::vector<std::string> words = cluster.train_words(long_job());
  words[3] = "1000";
  words.insert(words.end(), {"--id", "first"});
  Process first(command("client", words));
  ASSERT_TRUE(first.says("round 1/", std::chrono::seconds(60))) << first.err();
  Process second(command("client", cluster.train_words(short_job())));
  ASSERT_TRUE(second.says("pending, 1 ahead", std::chrono::seconds(30))) << second.err();
  const std::string at = "127.0.0.1:" + std::to_string(cluster.port());
  EXPECT_EQ(run("client", {"job", "cancel", "first", "--coordinator", at}).code, 0);
  EXPECT_EQ(first.wait(std::chrono::seconds(30)), 3) << first.err();
  EXPECT_EQ(second.wait(std::chrono::seconds(60)), 0) << second.err();
  EXPECT_EQ(run("client", {"job", "follow", "first", "--coordinator", at}).code, 3);
  EXPECT_EQ(run("client", {"job", "follow", "nobody", "--coordinator", at}).code, 6);
}

TEST(Jobs, AreSubmittedByOptionsAlone) {
  const Cluster cluster;
  const std::string at = "127.0.0.1:" + std::to_string(cluster.port());
  const Ended submitted = run("client",
                              {"job",
                               "submit",
                               "train",
                               "--coordinator",
                               at,
                               "--data",
                               GRADMILL_LETTERS,
                               "--rounds=2",
                               "--epochs=10",
                               "--hidden=24",
                               "--eta=0.0001",
                               "--id=one",
                               "--no-wait"});
  EXPECT_EQ(submitted.code, 0) << submitted.err;
  EXPECT_EQ(submitted.out, "one\n");
  const Ended followed =
      run("client", {"job", "follow", "one", "--coordinator", at, "--format", "json"});
  EXPECT_EQ(hash_of(followed), hash_of(cluster.train(short_job())));
}

TEST(Jobs, CtrlCDetaches) {
  Cluster cluster;
  std::vector<std::string> words = cluster.train_words(long_job());
  words.insert(words.end(), {"--id", "left"});
  Process client(command("client", words));
  ASSERT_TRUE(client.says("round 1/", std::chrono::seconds(60))) << client.err();
  client.signal(SIGINT);
  EXPECT_EQ(client.wait(std::chrono::seconds(10)), 130);
  EXPECT_EQ(client.out(), "");
  EXPECT_NE(client.err().find("client job follow left"), std::string::npos) << client.err();
  const Ended followed =
      run("client",
          {"job", "follow", "left", "--coordinator", "127.0.0.1:" + std::to_string(cluster.port())},
          std::chrono::seconds(120));
  EXPECT_EQ(followed.code, 0) << followed.err;
}

#ifndef __SANITIZE_ADDRESS__
TEST(LargeModel, MoreThan64MiBTravelsInPieces) {
  const Folder folder;
  std::string rows;
  for (int row = 0; row < 20; ++row) {
    for (int column = 0; column < 300; ++column) {
      rows += std::to_string((row * 7 + column * 3) % 5) + ",";
    }
    rows += std::to_string(row % 3) + "\n";
  }
  for (const char* const name : {"train_1.txt", "train_2.txt", "validate_1.txt"}) {
    folder.write(name, rows);
  }
  const Cluster cluster;
  const Ended result = cluster.train(
      {folder.path(), "2", "1", "60000", "1e-6", "--output", folder.path("m.safetensors")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_GT(std::filesystem::file_size(folder.path("m.safetensors")), 64U << 20U);
}
#endif

TEST(EarlyStop, ReturnsTheBestRound) {
  const Cluster cluster;
  // Steps so large that the error rises and falls.
  const std::vector<std::string> job = {GRADMILL_LETTERS, "40", "2", "24", "0.001"};
  const std::vector<double> all = errors_of(cluster.train(job));
  ASSERT_EQ(all.size(), 40U);
  const Ended early = cluster.train(with(job, {"--early-stop", "2"}));
  ASSERT_EQ(early.code, 0) << early.err;
  const std::vector<double> errors = errors_of(early);
  ASSERT_GE(errors.size(), 3U);
  EXPECT_TRUE(std::equal(errors.begin(), errors.end(), all.begin()));
  const auto best = std::min_element(errors.begin(), errors.end());
  const std::size_t best_round = static_cast<std::size_t>(best - errors.begin()) + 1;
  EXPECT_EQ(json::parse(early.out).at("best_round"), best_round);
  EXPECT_TRUE(errors.size() == 40 || errors.size() == best_round + 2);
  std::vector<std::string> shorter = job;
  shorter[1] = std::to_string(best_round);
  EXPECT_EQ(hash_of(early), hash_of(cluster.train(shorter)));
}

TEST(Divergence, EndsTheJobWithAReason) {
  const Cluster cluster;
  const Ended result = cluster.train({GRADMILL_LETTERS, "9", "5", "24", "1e30"});
  EXPECT_EQ(result.code, 1) << result.out;
  EXPECT_NE(result.err.find("no longer finite"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("a smaller eta may help"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("are kept"), std::string::npos) << result.err;
  EXPECT_EQ(hash_of(cluster.train(short_job())).size(), 64U) << "the next job runs as ever";
}

}  // namespace
}  // namespace gradmill::system_test
