// Prediction jobs through real processes: each row once and in order, whatever dies meanwhile.

#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::uint64_t lines_of(const std::string& text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Nodes, and a coordinator that has trained and registered a model of the letters.
class PredictionJobs : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cluster_.train(short_job()).code, 0);
    const std::string letters =
        bytes_in(std::string(GRADMILL_LETTERS) + "/validate_letters.txt") + '\n';
    std::string many;
    for (int copy = 0; copy < 20; ++copy) {
      many += letters;
    }
    folder_.write("letters.csv", letters);
    folder_.write("many.csv", many);
    ASSERT_TRUE(eventually([&] { return predict("letters.csv").code == 0; }));
    expected_ = predict("letters.csv").out;
    for (int copy = 0; copy < 20; ++copy) {
      expected_many_ += expected_;
    }
  }

  Ended predict(const std::string& file) const {
    return cluster_.client({"predict", "letters", "--labelled", "--file", folder_.path(file)});
  }
  std::vector<std::string> words(const std::string& id,
                                 const std::string& file,
                                 const std::vector<std::string>& more) const {
    return with({"job",
                 "submit",
                 "predict",
                 "--model",
                 "letters",
                 "--labelled",
                 "--data",
                 folder_.path(file),
                 "--id",
                 id},
                more);
  }
  /// Submits a job of thousands of small batches.
  void start_long(const std::string& id) const {
    const Ended ended = cluster_.client(words(id, "many.csv", {"--batch-size", "5", "--no-wait"}));
    ASSERT_EQ(ended.code, 0) << ended.err;
    ASSERT_EQ(ended.out, id + '\n');
  }
  json show(const std::string& id) const { return cluster_.ask({"job", "show", id}); }
  /// Waits until some rows are done.
  bool has_begun(const std::string& id) const {
    return eventually([&] { return show(id).at("rows_done") > 0; });
  }
  /// A client that streams the predictions of a job.
  std::vector<std::string> streaming(const std::string& id) const {
    return command(
        "client",
        {"job", "output", id, "--coordinator", "127.0.0.1:" + std::to_string(cluster_.port())});
  }

  const Folder folder_;
  Cluster cluster_;
  std::string expected_;       // Of letters.csv.
  std::string expected_many_;  // Of many.csv.
};

TEST_F(PredictionJobs, SayWhatPredictSays) {
  const std::string output = folder_.path("predictions.txt");
  const Ended ended =
      cluster_.client(words("j", "letters.csv", {"--batch-size", "100", "--output", output}));
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(ended.out.find(" rows predicted in "), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find(", accuracy 0."), std::string::npos) << ended.out;
  EXPECT_EQ(bytes_in(output), expected_);
  EXPECT_EQ(cluster_.client({"job", "output", "j"}).out, expected_);
  const Ended asked = cluster_.client({"predict",
                                       "letters",
                                       "--labelled",
                                       "--file",
                                       folder_.path("letters.csv"),
                                       "--format",
                                       "json"});
  EXPECT_EQ(cluster_.client({"job", "output", "latest", "--format", "json"}).out, asked.out);
}

TEST_F(PredictionJobs, AreListedAndShownByTheirRows) {
  ASSERT_EQ(cluster_.client(words("j", "letters.csv", {"--batch-size", "100"})).code, 0);
  const std::uint64_t rows = lines_of(expected_);
  for (const json& job :
       {cluster_.ask({"job", "list"})[0], show("j"), cluster_.ask({"job", "follow", "j"})}) {
    EXPECT_EQ(job.at("kind"), "prediction");
    EXPECT_EQ(job.at("state"), "succeeded");
    EXPECT_EQ(job.at("rows"), rows);
    EXPECT_EQ(job.at("rows_done"), rows);
    EXPECT_EQ(job.at("batch_size"), 100);
    EXPECT_EQ(job.at("model"), "letters");
    EXPECT_EQ(job.at("version"), 1);
    EXPECT_EQ(job.at("accuracy").get<double>(),
              static_cast<double>(rows - job.at("wrong").get<std::uint64_t>()) /
                  static_cast<double>(rows));
  }
  EXPECT_EQ(cluster_.ask({"job", "list"})[1].at("kind"), "training");
}

TEST_F(PredictionJobs, StreamWhileTheyRunAndOutliveANode) {
  start_long("j");
  Process stream(streaming("j"));
  ASSERT_TRUE(has_begun("j"));
  EXPECT_TRUE(eventually([&] { return lines_of(stream.out()) > 0; }));
  cluster_.node(0).signal(SIGKILL);
  EXPECT_EQ(stream.wait(seconds(60)), 0) << stream.err();
  EXPECT_TRUE(stream.out() == expected_many_);
}

TEST_F(PredictionJobs, OutliveTheCoordinator) {
  start_long("j");
  Process stream(streaming("j"));
  ASSERT_TRUE(has_begun("j"));
  cluster_.kill_coordinator();
  cluster_.restart_coordinator();
  EXPECT_EQ(stream.wait(seconds(60)), 0) << stream.err();
  EXPECT_TRUE(stream.out() == expected_many_);
  EXPECT_TRUE(cluster_.client({"job", "output", "j"}).out == expected_many_);
}

TEST_F(PredictionJobs, ArePausedChangedAndResumed) {
  start_long("j");
  ASSERT_TRUE(has_begun("j"));
  ASSERT_EQ(cluster_.client({"job", "pause", "j"}).code, 0);
  const std::uint64_t done = show("j").at("rows_done");
  EXPECT_LT(done, lines_of(expected_many_));
  ASSERT_EQ(cluster_.client({"job", "set", "j", "--batch-size", "777"}).code, 0);
  EXPECT_EQ(show("j").at("batch_size"), 777);
  EXPECT_EQ(show("j").at("rows_done"), done);
  ASSERT_EQ(cluster_.client({"job", "resume", "j"}).code, 0);
  EXPECT_EQ(cluster_.client({"job", "follow", "j"}).code, 0);
  EXPECT_TRUE(cluster_.client({"job", "output", "j"}).out == expected_many_);
}

TEST_F(PredictionJobs, ChangeTheirBatchesWhileTheyRun) {
  start_long("j");
  ASSERT_TRUE(has_begun("j"));
  ASSERT_EQ(cluster_.client({"job", "set", "j", "--batch-size", "300"}).code, 0);
  EXPECT_EQ(cluster_.client({"job", "follow", "j"}).code, 0);
  EXPECT_TRUE(cluster_.client({"job", "output", "j"}).out == expected_many_);
  const Ended late = cluster_.client({"job", "set", "j", "--batch-size", "5"});
  EXPECT_EQ(late.code, 2);
  EXPECT_NE(late.err.find("job j had already ended"), std::string::npos) << late.err;
}

TEST_F(PredictionJobs, RunSideBySide) {
  start_long("one");
  start_long("two");
  EXPECT_TRUE(has_begun("two"));
  for (const char* const id : {"one", "two"}) {
    EXPECT_EQ(cluster_.client({"job", "follow", id}).code, 0);
    EXPECT_TRUE(cluster_.client({"job", "output", id}).out == expected_many_) << id;
  }
}

TEST_F(PredictionJobs, CancelledGiveWhatThereIs) {
  start_long("j");
  ASSERT_TRUE(has_begun("j"));
  ASSERT_EQ(cluster_.client({"job", "cancel", "j"}).code, 0);
  const Ended ended = cluster_.client({"job", "output", "j"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_TRUE(expected_many_.starts_with(ended.out));
  EXPECT_EQ(lines_of(ended.out), show("j").at("rows_done"));
  EXPECT_EQ(lines_of(ended.err), 1U) << ended.err;
  EXPECT_NE(ended.err.find("job j cancelled after "), std::string::npos) << ended.err;
}

TEST_F(PredictionJobs, TellWhatIsWrong) {
  folder_.write("narrow.csv", "1,2,3\n");
  folder_.write("nan.csv", "nan,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8,1\n");
  folder_.write("empty.csv", "");
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string message;
  };
  const auto model = [&](const std::string& name) {
    return std::vector<std::string>{
        "job", "submit", "predict", "--model", name, "--data", folder_.path("letters.csv")};
  };
  const std::vector<Case> cases = {
      {model("digits"), 6, "there is no model 'digits'"},
      {model("letters@9"), 6, "has no version 9; there is 1"},
      {model("letters@nobody"), 6, "nobody"},
      {words("x", "narrow.csv", {}), 2, "narrow.csv:1: has 3 columns"},
      {words("x", "nan.csv", {}), 2, "not a finite number"},
      {words("x", "empty.csv", {}), 2, "has no rows"},
      {words("x", "none.csv", {}), 2, "none.csv"},
      {words("x", "letters.csv", {"--batch-size", "0"}), 2, "--batch-size"},
      {words("x", "letters.csv", {"--batch-size", "1000000"}), 2, "at most 262144"},
      {words("x", "letters.csv", {"--output", "m.safetensors"}), 2, "m.safetensors"},
      {{"job", "set", "latest", "--batch-size", "5"}, 2, "trains a model"}};
  for (const Case& one : cases) {
    const Ended result = cluster_.client(one.words);
    EXPECT_EQ(result.code, one.code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err), 1U) << result.err;
    EXPECT_NE(result.err.find(one.message), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace gradmill::system_test
