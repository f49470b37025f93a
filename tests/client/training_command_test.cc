#include "client/commands/training_command.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/job_following.h"
#include "client/fake_link.h"
#include "formats/model_file.h"

namespace gradmill::client {
namespace {

class TrainingCommandTest : public testing::Test {
 protected:
  TrainingCommandTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    write("train_1.txt", "0,7,0\n2,7,1\n");
    write("train_2.txt", "4,7,1\n");
    write("validate_1.txt", "1000,7,0\n");
    request_.coordinator = {"host", 1};
    request_.folder = folder_.string();
    request_.job = "j";
    request_.rounds = 3;
    request_.hidden = {2};
    request_.rule.eta = 0.1;
    request_.rule.epochs = 1;
    weights_ = make_blob(std::string(std::size_t{12} * sizeof(float), '\0'));
    link_.put_blob(weights_);
    link_.answers = {ended(JobState::kSucceeded, 3)};
  }
  ~TrainingCommandTest() override { std::filesystem::remove_all(folder_); }
  TrainingCommandTest(const TrainingCommandTest&) = delete;
  TrainingCommandTest& operator=(const TrainingCommandTest&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// A job that ended after `rounds` rounds, of errors 1/2, 1/3, ...
  JobStatus ended(JobState state, std::uint32_t rounds) const {
    JobStatus status;
    status.job = "j";
    status.version = 1;
    status.state = state;
    status.rounds = 3;
    status.shards = 2;
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      RoundReport& report = status.finished.emplace_back();
      report.round = round;
      report.validation_error = 1.0 / (round + 1);
    }
    status.reason = state == JobState::kSucceeded ? "succeeded" : "diverged";
    status.message = "the end";
    status.parameters = weights_.ref;
    return status;
  }

  int run() {
    out_.str("");
    err_.str("");
    return client::run(request_, link_, {out_, err_, 0, interrupted_});
  }
  std::string refusal() {
    try {
      static_cast<void>(run());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_EQ(link_.submits, 0);
      return error.what();
    }
    return "accepted";
  }
  formats::ModelFile model(const std::string& name) const {
    return formats::decode_model(read_file(path(name), 1 << 20), name);
  }

  std::filesystem::path folder_;
  TrainRequest request_;
  FakeLink link_;
  Blob weights_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(TrainingCommandTest, TheWholeRecipeIsSubmitted) {
  request_.hidden = {3, 2};
  request_.server = {ml::ServerOptimizer::kMomentum, 0.7, 0.6};
  request_.early_stop = 2;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(link_.submitted_id, "j");
  EXPECT_EQ(link_.submits, 2);
  const JobSpecification& job = link_.specification;
  EXPECT_EQ(job.rule.topology.units, (std::vector<std::uint32_t>{2, 3, 2, 2}));
  EXPECT_EQ(job.rounds, 3U);
  EXPECT_EQ(job.early_stop, 2U);
  EXPECT_EQ(job.server.optimizer, ml::ServerOptimizer::kMomentum);
  EXPECT_EQ(job.server.momentum, 0.6);
  EXPECT_TRUE(job.rule.standardization.empty());
  EXPECT_EQ(out_.str(), "final validation error: 0.250000\n");
}

TEST_F(TrainingCommandTest, TellsWhatTheResultIsRegisteredAs) {
  link_.answers.back().registered = "letters@2";
  EXPECT_EQ(run(), 0);
  EXPECT_NE(err_.str().find("\nregistered as letters@2\n"), std::string::npos) << err_.str();
  EXPECT_EQ(out_.str(), "final validation error: 0.250000\n");
}

TEST_F(TrainingCommandTest, WhatTheCoordinatorWouldRefuseIsNeverSent) {
  request_.hidden = {2, 2};
  request_.rule.activation = ml::Activation::kMlPy;
  EXPECT_EQ(refusal(), "activation ml-py is for one hidden layer");
  request_.rule.activation = ml::Activation::kRelu;
  request_.hidden = {20'000, 20'000};
  EXPECT_NE(refusal().find("more than 100000000 parameters"), std::string::npos);
}

TEST_F(TrainingCommandTest, StandardizationIsOfTheTrainingShardsAlone) {
  for (const Standardize standardize : {Standardize::kByPreset, Standardize::kAsked}) {
    request_.standardize = standardize;
    EXPECT_EQ(run(), 0);
    const ml::Standardization& found = link_.specification.rule.standardization;
    EXPECT_EQ(found.mean, (std::vector<double>{2, 7}));
    EXPECT_EQ(found.deviation, (std::vector<double>{std::sqrt(8.0 / 3), 1}));
  }
}

TEST_F(TrainingCommandTest, AModelBringsItsStandardization) {
  request_.standardize = Standardize::kAsked;
  request_.output = path("with.safetensors");
  EXPECT_EQ(run(), 0);
  const ml::Standardization used = link_.specification.rule.standardization;
  EXPECT_EQ(model("with.safetensors").standardization, used);
  request_.output = path("without.safetensors");
  request_.standardize = Standardize::kNo;
  EXPECT_EQ(run(), 0);
  EXPECT_TRUE(model("without.safetensors").standardization.empty());
  request_.output.clear();

  // Other data, so that it is the model's and not a new one.
  write("train_2.txt", "400,7,1\n");
  request_.init_from = path("with.safetensors");
  for (const Standardize standardize :
       {Standardize::kNo, Standardize::kByPreset, Standardize::kAsked}) {
    request_.standardize = standardize;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(link_.specification.rule.standardization, used);
    EXPECT_EQ(link_.specification.initial_weights, weights_.ref);
  }
  request_.init_from = path("without.safetensors");
  for (const Standardize standardize : {Standardize::kNo, Standardize::kByPreset}) {
    request_.standardize = standardize;
    EXPECT_EQ(run(), 0);
    EXPECT_TRUE(link_.specification.rule.standardization.empty());
  }
  link_.submits = 0;
  request_.standardize = Standardize::kAsked;
  EXPECT_EQ(refusal(),
            "--standardize does not go with --init-from " + path("without.safetensors") +
                ": that model was trained without");
}

TEST_F(TrainingCommandTest, OutputOfAnEarlyStopIsTheBestRounds) {
  request_.early_stop = 1;
  request_.output = path("m.safetensors");
  JobStatus status = ended(JobState::kSucceeded, 3);
  status.best_round = 2;
  link_.answers = {status};
  EXPECT_EQ(run(), 0);
  const auto metadata = model("m.safetensors").metadata;
  EXPECT_EQ(metadata.at("round"), "2");
  EXPECT_EQ(metadata.at("validation_error"), "0.3333333333333333");
  EXPECT_EQ(out_.str(), "final validation error: 0.333333\nbest round: 2\n");
}

TEST_F(TrainingCommandTest, AFailedJobLeavesItsLastGoodWeights) {
  request_.output = path("m.safetensors");
  link_.answers = {ended(JobState::kFailed, 2)};
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_TRUE(
      err_.str().ends_with("client: job j failed: the end\nclient: the weights of round 2 are in " +
                           path("m.safetensors") + '\n'))
      << err_.str();
  EXPECT_EQ(model("m.safetensors").metadata.at("round"), "2");
  EXPECT_EQ(model("m.safetensors").parameters, *weights_.bytes);
}

TEST_F(TrainingCommandTest, AFailedJobWithoutWeightsLeavesNoFile) {
  request_.output = path("m.safetensors");
  link_.answers = {ended(JobState::kFailed, 0)};
  EXPECT_EQ(run(), 1);
  EXPECT_FALSE(std::filesystem::exists(path("m.safetensors")));
  link_.answers = {ended(JobState::kFailed, 1)};
  link_.answers.front().parameters = {sha256("gone"), 4};
  EXPECT_EQ(run(), 1);
  EXPECT_FALSE(std::filesystem::exists(path("m.safetensors")));
  EXPECT_NE(err_.str().find("the weights of round 1 could not be saved: the blob is gone"),
            std::string::npos)
      << err_.str();
}

TEST_F(TrainingCommandTest, JobFollowShowsTheSameResult) {
  JobStatus status = ended(JobState::kSucceeded, 3);
  status.best_round = 1;
  link_.answers = {status};
  FollowJobRequest request;
  request.job = "j";
  request.format = Format::kJson;
  EXPECT_EQ(client::run(request, link_, {out_, err_, 0, interrupted_}), 0);
  const nlohmann::json result = nlohmann::json::parse(out_.str());
  EXPECT_EQ(result.at("best_round"), 1);
  EXPECT_EQ(result.at("validation_error"), 0.5);
}

TEST_F(TrainingCommandTest, SeveralRoundsComeInOneAnswer) {
  JobStatus running = ended(JobState::kSucceeded, 2);
  running.state = JobState::kRunning;
  running.version = 5;
  link_.answers = {running, ended(JobState::kSucceeded, 3)};
  EXPECT_EQ(run(), 0);
  ASSERT_EQ(link_.queries.size(), 3U);
  EXPECT_EQ(link_.queries[1].version, 5U);
  EXPECT_EQ(link_.queries[1].rounds_known, 2U);
  EXPECT_GT(link_.queries[1].gather.count(), 0);
}

TEST_F(TrainingCommandTest, WithoutWaitTheJobIsOnlySubmitted) {
  request_.wait = false;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(out_.str(), "j\n");
  EXPECT_TRUE(link_.queries.empty());
  request_.format = Format::kJson;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(nlohmann::json::parse(out_.str()).at("job_id"), "j");
}

TEST_F(TrainingCommandTest, AQuorumIsOfTheShards) {
  request_.round_deadline = std::chrono::milliseconds(250);
  for (const auto& [quorum, shards] : {std::pair(Quorum{.shards = 1}, 1U),
                                       std::pair(Quorum{.shards = 2}, 2U),
                                       std::pair(Quorum{.share = 0.5}, 1U),
                                       std::pair(Quorum{.share = 0.51}, 2U),
                                       std::pair(Quorum{.share = 1}, 2U),
                                       std::pair(Quorum{.share = 1e-12}, 1U)}) {
    request_.quorum = quorum;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(link_.specification.quorum, shards) << quorum.share;
    EXPECT_EQ(link_.specification.round_deadline.count(), 250);
  }
  link_.submits = 0;
  request_.quorum = Quorum{.shards = 3};
  EXPECT_EQ(refusal(), "--quorum: 3 is more than the 2 training shards");
}

TEST_F(TrainingCommandTest, NoJobIsCalledLatestOrAll) {
  for (const char* const id : {"latest", "all"}) {
    request_.job = id;
    EXPECT_EQ(refusal(),
              std::string("a job cannot be called '") + id + "', which stands for other jobs");
  }
}

TEST_F(TrainingCommandTest, AJobThatTheCoordinatorForgotIsNotFound) {
  link_.gone = true;
  try {
    static_cast<void>(run());
    FAIL() << "the job was followed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(std::string(error.what()),
              "job j is gone: deleted, or the coordinator at host:1 was started anew without its "
              "state");
  }
}

TEST_F(TrainingCommandTest, LeavesAJobThatGoesOn) {
  interrupted_ = true;
  EXPECT_EQ(run(), 130);
  EXPECT_EQ(out_.str(), "");
  EXPECT_NE(err_.str().find("client job follow j --coordinator host:1"), std::string::npos);
}

}  // namespace
}  // namespace gradmill::client
