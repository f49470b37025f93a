// Twenty jobs of both kinds at once, again and again.

#include <signal.h>

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/raw_peer.h"

namespace gradmill::system_test {
namespace {

constexpr int kJobsOfAKind = 10;

class Soak : public testing::Test {
 protected:
  static Cluster::Options options() {
    Cluster::Options options;
    options.load = {"0", "0.3"};
    options.coordinator_options = {"--max-running-jobs", "20"};
    return options;
  }

  void SetUp() override {
    for (int n = 0; n < kJobsOfAKind; ++n) {
      const Ended alone = cluster_.train(training(n));
      ASSERT_EQ(alone.code, 0) << alone.err;
      hashes_.push_back(hash_of(alone));
    }
    std::string rows;
    for (int copy = 0; copy < 4; ++copy) {
      rows += bytes_in(std::string(GRADMILL_LETTERS) + "/validate_letters.txt") + '\n';
    }
    folder_.write("rows.csv", rows);
    ASSERT_TRUE(eventually([&] { return cluster_.client(prediction()).code == 0; }));
    predictions_ = cluster_.client(prediction()).out;
  }

  static std::vector<std::string> training(int seed) {
    return {GRADMILL_LETTERS,
            "6",
            "10",
            "24",
            "0.0001",
            "--seed",
            std::to_string(seed),
            "--model",
            "letters"};
  }
  /// Of the version that the jobs use as well.
  std::vector<std::string> prediction() const {
    return {"predict", "letters@1", "--labelled", "--file", folder_.path("rows.csv")};
  }

  /// The whole wave, all at once, each with an id of its own.
  void submit(const std::string& wave) const {
    for (int n = 0; n < kJobsOfAKind; ++n) {
      std::vector<std::string> words = {"job", "submit", "train", "--data"};
      words = with(words, {GRADMILL_LETTERS, "--rounds=6", "--epochs=10", "--hidden=24"});
      words = with(words, {"--eta=0.0001", "--model=letters", "--seed=" + std::to_string(n)});
      words = with(words, {"--id=" + wave + "train" + std::to_string(n), "--no-wait"});
      const Ended trains = cluster_.client(words);
      ASSERT_EQ(trains.code, 0) << trains.err;
      words = {"job", "submit", "predict", "--model=letters@1", "--labelled"};
      words = with(words, {"--data=" + folder_.path("rows.csv")});
      words = with(words, {"--batch-size=" + std::to_string(40 + 17 * n)});
      words = with(words, {"--id=" + wave + "predict" + std::to_string(n), "--no-wait"});
      const Ended predicts = cluster_.client(words);
      ASSERT_EQ(predicts.code, 0) << predicts.err;
    }
  }

  void expect_all_right(const std::string& wave) const {
    for (int n = 0; n < kJobsOfAKind; ++n) {
      const std::string trained = wave + "train" + std::to_string(n);
      EXPECT_EQ(cluster_.ask({"job", "follow", trained}).at("parameters_sha256"),
                hashes_.at(static_cast<std::size_t>(n)));
      const std::string predicted = wave + "predict" + std::to_string(n);
      const Ended output = cluster_.client({"job", "output", predicted});
      EXPECT_EQ(output.code, 0) << output.err;
      EXPECT_TRUE(output.out == predictions_) << predicted;
      for (const std::string& id : {trained, predicted}) {
        EXPECT_EQ(cluster_.client({"job", "delete", id}).code, 0) << id;
      }
    }
  }

  std::vector<std::int64_t> resident_bytes() {
    return {usage_of(cluster_.coordinator().pid()).resident_bytes,
            usage_of(cluster_.node(0).pid()).resident_bytes,
            usage_of(cluster_.node(1).pid()).resident_bytes};
  }

  const Folder folder_;
  Cluster cluster_{options()};
  std::vector<std::string> hashes_;  // of each training job alone
  std::string predictions_;          // of each prediction job
};

TEST_F(Soak, TwentyJobsOfBothKindsEndRightWhateverDiesAndMemoryStaysFlat) {
  ASSERT_NO_FATAL_FAILURE(submit("first-"));
  ASSERT_TRUE(eventually([&] {
    return cluster_.ask({"job", "show", "first-predict0"}).at("rows_done") > 0;
  }));
  cluster_.node(1).signal(SIGKILL);
  EXPECT_EQ(cluster_.node(1).wait(std::chrono::seconds(10)), 128 + SIGKILL);
  cluster_.restart_node(1);
  expect_all_right("first-");

  ASSERT_NO_FATAL_FAILURE(submit("second-"));
  expect_all_right("second-");
  const std::vector<std::int64_t> before = resident_bytes();
  for (const char* const wave : {"third-", "fourth-"}) {
    ASSERT_NO_FATAL_FAILURE(submit(wave));
    expect_all_right(wave);
  }
#ifndef __SANITIZE_ADDRESS__  // Which keeps what is freed for a while.
  const std::vector<std::int64_t> after = resident_bytes();
  for (std::size_t n = 0; n < after.size(); ++n) {
    EXPECT_LT(after[n] - before[n], 8 << 20) << "server " << n << ", from " << before[n];
  }
#endif
}

}  // namespace
}  // namespace gradmill::system_test
