#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "client/commands/commands.h"
#include "client/fake_link.h"
#include "formats/shard_blob.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

JobPredictions predicted(const std::vector<std::uint16_t>& classes, bool ended) {
  JobPredictions news;
  news.rows = static_cast<std::uint32_t>(classes.size());
  news.ended = ended;
  for (const std::uint16_t index : classes) {
    const float half = 0.5;
    news.predictions.classes.append(reinterpret_cast<const char*>(&index), sizeof index);
    news.predictions.probabilities.append(reinterpret_cast<const char*>(&half), sizeof half);
  }
  return news;
}

class PredictionJobTest : public testing::Test {
 protected:
  PredictionJobTest() {
    link_.served = {.model = "letters",
                    .version = 3,
                    .file = {sha256("file"), 4},
                    .features = 2,
                    .labels = {"A", "B", "C"}};
    link_.details.status = ended(JobState::kSucceeded, 3);
    link_.details.specification.prediction =
        PredictionPlan{.model = link_.served, .batch_rows = 10, .labelled = true};
    link_.answers = {link_.details.status};
  }
  ~PredictionJobTest() override {
    std::remove(data_.c_str());
    std::remove(output_.c_str());
  }
  PredictionJobTest(const PredictionJobTest&) = delete;
  PredictionJobTest& operator=(const PredictionJobTest&) = delete;

  static JobStatus ended(JobState state, std::uint64_t done) {
    JobStatus status;
    status.job = "j";
    status.version = 1;
    status.state = state;
    status.message = state == JobState::kSucceeded ? "" : "why not";
    status.submitted_ms = 1000;
    status.ended_ms = 3500;
    status.prediction = PredictionStatus{.rows = 3,
                                         .rows_done = done,
                                         .wrong = 1,
                                         .batch_rows = 10,
                                         .labelled = true,
                                         .model = "letters",
                                         .version = 3};
    return status;
  }

  int run(std::vector<std::string> words) {
    out_.str("");
    err_.str("");
    link_.calls.clear();
    words.insert(words.end(), {"--coordinator", "h:1"});
    return client::run(parse_request(words).value(), link_, {out_, err_, 0, interrupted_});
  }
  int submit(const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "job", "submit", "predict", "--model", "letters", "--id", "j", "--data", data_};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  template <class Run>
  std::pair<ErrorCode, std::string> failure(const Run& run) {
    try {
      static_cast<void>(run());
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {ErrorCode::kCancelled, "no error"};
  }
  void write_rows(const std::string& text) const {
    const std::array<std::string_view, 1> parts = {text};
    write_file_durably(data_, parts);
  }
  ml::Shard shard(std::size_t n) {
    return formats::decode_shard(*link_.blobs.at(link_.specification.shards.at(n).digest).bytes);
  }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
  const std::string name_ = testing::TempDir() + "prediction_job_" + std::to_string(::getpid());
  const std::string data_ = name_ + ".csv";
  const std::string output_ = name_ + ".txt";
};

TEST_F(PredictionJobTest, SubmitsRowsWithTheirLabelsAndShowsTheAccuracy) {
  write_rows("1,2,B\n3,4,?\n5,6,A\n");
  EXPECT_EQ(submit({"--labelled", "--batch-size", "2", "--priority", "4"}), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"served model letters"});
  EXPECT_EQ(out_.str(), "3 rows predicted in 2.50 s, accuracy 0.666667\n");
  EXPECT_TRUE(
      err_.str().starts_with("client: rows with a label that letters@3 does not know: 1 of 3"))
      << err_.str();
  EXPECT_EQ(link_.submitted_id, "j");
  EXPECT_EQ(link_.submitted_terms.share.priority, 4);
  EXPECT_EQ(link_.submitted_terms.model, "");
  const PredictionPlan& plan = link_.specification.prediction.value();
  EXPECT_EQ(plan.model.version, 3U);
  EXPECT_EQ(plan.model.file, link_.served.file);
  EXPECT_EQ(plan.batch_rows, 2U);
  EXPECT_TRUE(plan.labelled);
  EXPECT_EQ(link_.specification.shards.size(), 1U);
  EXPECT_EQ(shard(0).labels, (std::vector<std::uint16_t>{1, 3, 0}));
}

TEST_F(PredictionJobTest, ALargeFileIsCutIntoWholeBatches) {
  constexpr std::size_t kRows = 1'200'000;
  std::string text;
  for (std::size_t row = 0; row < kRows; ++row) {
    text += row % 2 == 0 ? "1,2\n" : "0.5,0\n";
  }
  write_rows(text);
  EXPECT_EQ(submit({"--batch-size", "1000", "--no-wait"}), 0);
  EXPECT_EQ(out_.str(), "j\n");
  std::size_t rows = 0;
  for (std::size_t n = 0; n < link_.specification.shards.size(); ++n) {
    const ml::Shard one = shard(n);
    EXPECT_EQ(one.rows % 1000, 0U);
    EXPECT_LE(std::get<std::vector<float>>(one.values).size() * sizeof(float), 4U << 20U);
    EXPECT_EQ(one.classes, 1U) << "no labels, all 0";
    rows += one.rows;
  }
  EXPECT_EQ(rows, kRows);
  EXPECT_EQ(link_.specification.shards.size(), 3U);
  EXPECT_EQ(link_.blobs.size(), 2U) << "equal shards are one blob";
}

TEST_F(PredictionJobTest, BatchesAreOf4096RowsOrAsManyAsFit) {
  write_rows("1,2\n");
  EXPECT_EQ(submit({}), 0);
  EXPECT_EQ(link_.specification.prediction->batch_rows, 4096U);
  link_.served.features = 2000;
  std::string wide = "0.5";
  for (int n = 1; n < 2000; ++n) {
    wide += ",1";
  }
  write_rows(wide + "\n");
  EXPECT_EQ(submit({}), 0);
  EXPECT_EQ(link_.specification.prediction->batch_rows, 524U);
  EXPECT_EQ(failure([&] {
              return submit({"--batch-size", "525"});
            }),
            std::pair(ErrorCode::kInvalidInput,
                      std::string("--batch-size: 525 rows of 2000 features are too many; at most "
                                  "524 fit in a task")));
}

TEST_F(PredictionJobTest, NamesWhatIsWrongWithTheRows) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"1,2\n1\n", ":2: has 1 column; model letters@3 takes 2 features"},
      {"1,nan\n", ":1: 'nan' in column 2 is not a finite number"},
      {"", ": has no rows"}};
  for (const auto& [text, message] : wrong) {
    write_rows(text);
    EXPECT_EQ(failure([&] { return submit({}); }),
              std::pair(ErrorCode::kInvalidInput, data_ + message));
  }
  EXPECT_EQ(link_.submits, 0);
}

TEST_F(PredictionJobTest, SubmitSavesThePredictions) {
  write_rows("1,2\n1,2\n1,2\n");
  link_.predicted = {predicted({0, 1, 2}, true)};
  EXPECT_EQ(submit({"--output", output_}), 0);
  EXPECT_EQ(read_file(output_, 1000), "0 A 0.5\n1 B 0.5\n2 C 0.5\n");
  EXPECT_EQ(out_.str(), "3 rows predicted in 2.50 s, accuracy 0.666667\n");
}

TEST_F(PredictionJobTest, AJobThatFailsWritesNoFile) {
  write_rows("1,2\n");
  link_.answers = {ended(JobState::kFailed, 1)};
  EXPECT_EQ(submit({"--output", output_}), program::kJobFailed);
  EXPECT_NE(err_.str().find("client: job j failed: why not\n"), std::string::npos) << err_.str();
  EXPECT_NE(err_.str().find(output_ + " is not written"), std::string::npos) << err_.str();
  EXPECT_THROW(static_cast<void>(read_file(output_, 1000)), Error);
}

TEST_F(PredictionJobTest, OutputStreamsALineARow) {
  link_.predicted = {predicted({0, 2}, false), predicted({}, false), predicted({1}, true)};
  EXPECT_EQ(run({"job", "output", "j"}), 0);
  EXPECT_EQ(out_.str(), "0 A 0.5\n2 C 0.5\n1 B 0.5\n");
  EXPECT_EQ(link_.calls,
            (std::vector<std::string>{"job j",
                                      "predictions j 0 65536 1000",
                                      "predictions j 2 65536 1000",
                                      "predictions j 2 65536 1000",
                                      "job j"}));
  EXPECT_EQ(err_.str(), "accuracy 0.666667\n");
}

TEST_F(PredictionJobTest, OutputAsJsonIsThatOfPredict) {
  link_.predicted = {predicted({0, 2, 1}, true)};
  EXPECT_EQ(run({"job", "output", "j", "--format", "json"}), 0);
  EXPECT_EQ(json().at("model"), "letters");
  EXPECT_EQ(json().at("version"), 3);
  EXPECT_EQ(json().at("predictions").size(), 3U);
  EXPECT_EQ(json().at("accuracy"), 2.0 / 3);
  EXPECT_EQ(json().at("predictions")[1],
            (nlohmann::json{{"class", 2}, {"label", "C"}, {"probability", 0.5}}));
}

TEST_F(PredictionJobTest, OutputGoesToAFileOnceItIsComplete) {
  link_.predicted = {predicted({0, 2, 1}, true)};
  EXPECT_EQ(run({"job", "output", "j", "--output", output_}), 0);
  EXPECT_EQ(read_file(output_, 1000), "0 A 0.5\n2 C 0.5\n1 B 0.5\n");
  EXPECT_EQ(out_.str(), "3 predictions are in " + output_ + ", accuracy 0.666667\n");
}

TEST_F(PredictionJobTest, OutputOfAJobThatLacksRowsSaysSo) {
  link_.details.status = ended(JobState::kCancelled, 1);
  link_.predicted = {predicted({2}, true)};
  EXPECT_EQ(run({"job", "output", "j"}), program::kCancelled);
  EXPECT_EQ(out_.str(), "2 C 0.5\n");
  EXPECT_EQ(err_.str(), "client: job j cancelled after 1 of 3 rows: why not\n");
  EXPECT_EQ(run({"job", "output", "j", "--output", output_}), program::kCancelled);
  EXPECT_EQ(err_.str(),
            "client: job j cancelled after 1 of 3 rows; " + output_ + " is not written: why not\n");
  EXPECT_THROW(static_cast<void>(read_file(output_, 1000)), Error);
  link_.details.status = ended(JobState::kFailed, 1);
  EXPECT_EQ(run({"job", "output", "j"}), program::kJobFailed);
}

TEST_F(PredictionJobTest, OutputRefusesWhatIsNoPrediction) {
  EXPECT_EQ(failure([&] {
              return run({"job", "output", "j", "--output", "m.safetensors"});
            }).first,
            ErrorCode::kInvalidInput);
  link_.predicted = {predicted({3}, true)};
  EXPECT_EQ(failure([&] {
              return run({"job", "output", "j"});
            }).second,
            "a prediction is no class of the model");
  link_.details.specification.prediction.reset();
  EXPECT_EQ(failure([&] {
              return run({"job", "output", "j"});
            }),
            std::pair(ErrorCode::kInvalidInput,
                      std::string("--output is missing: job j trains a model; see client job "
                                  "output --help")));
}

TEST_F(PredictionJobTest, SetChangesTheBatchesOfARunningPredictionJob) {
  EXPECT_EQ(failure([&] {
              return run({"job", "set", "j", "--batch-size", "7"});
            }),
            std::pair(ErrorCode::kInvalidInput, std::string("job j had already ended: succeeded")));
  link_.details.status.state = JobState::kRunning;
  EXPECT_EQ(run({"job", "set", "j", "--batch-size", "7"}), 0);
  EXPECT_EQ(link_.calls.back(), "set j 7");
  EXPECT_EQ(out_.str(), "job j: batches of 7 rows from now on\n");
  EXPECT_EQ(run({"job", "set", "j", "--batch-size", "7", "--format", "json"}), 0);
  EXPECT_EQ(json(), (nlohmann::json{{"job_id", "j"}, {"batch_size", 7}}));
  link_.details.specification.prediction.reset();
  EXPECT_EQ(failure([&] {
              return run({"job", "set", "j", "--batch-size", "7"});
            }),
            std::pair(ErrorCode::kInvalidInput,
                      std::string("job j trains a model; only the batch size of prediction jobs "
                                  "can be changed")));
}

TEST_F(PredictionJobTest, ListAndShowAndFollowTellOfRows) {
  JobSummary summary;
  summary.job = "j";
  summary.prediction = link_.details.status.prediction;
  link_.summaries = {summary};
  EXPECT_EQ(run({"job", "list"}), 0);
  EXPECT_NE(out_.str().find("j    prediction  pending         0       1   3/3       -      0  "
                            "0.333333  yes    letters@3"),
            std::string::npos)
      << out_.str();
  EXPECT_EQ(run({"job", "list", "--format", "json"}), 0);
  const nlohmann::json listed = json()[0];
  EXPECT_FALSE(listed.contains("rounds"));
  EXPECT_EQ(run({"job", "show", "j", "--format", "json"}), 0);
  const nlohmann::json shown = json();
  EXPECT_EQ(shown.at("specification").at("labels").size(), 3U);
  EXPECT_EQ(run({"job", "follow", "j", "--format", "json"}), 0);
  for (const nlohmann::json& one : {listed, shown, json()}) {
    EXPECT_EQ(one.at("kind"), "prediction");
    EXPECT_EQ(one.at("rows"), 3);
    EXPECT_EQ(one.at("rows_done"), 3);
    EXPECT_EQ(one.at("wrong"), 1);
    EXPECT_EQ(one.at("accuracy"), 2.0 / 3);
    EXPECT_EQ(one.at("batch_size"), 10);
    EXPECT_EQ(one.at("model"), "letters");
    EXPECT_EQ(one.at("version"), 3);
  }
  EXPECT_EQ(run({"job", "show", "j"}), 0);
  for (const char* const line : {"kind:            prediction\n",
                                 "rows:            3/3\n",
                                 "accuracy:        0.666667\n",
                                 "batch size:      10\n",
                                 "model:           letters@3\n"}) {
    EXPECT_NE(out_.str().find(line), std::string::npos) << line << out_.str();
  }
  link_.details.status.prediction->labelled = false;
  EXPECT_EQ(run({"job", "show", "j", "--format", "json"}), 0);
  EXPECT_TRUE(json().at("accuracy").is_null());
  EXPECT_TRUE(json().at("wrong").is_null());
  EXPECT_EQ(failure([&] {
              return run({"job", "show", "j", "--profile"});
            }).first,
            ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace gradmill::client
