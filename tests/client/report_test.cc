#include "client/report/report.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gradmill::client {
namespace {

FollowedJob job_with(JobState state) {
  FollowedJob job;
  job.status.job = "j";
  job.status.state = state;
  job.status.rounds = 2;
  job.status.shards = 1;
  job.status.reason = "a_reason";
  job.status.message = "a message";
  job.status.nodes = {{.node = "h:1", .tasks = 2, .refused = 1, .failed = 0}};
  job.rounds = {{.round = 1,
                 .validation_error = 0.5,
                 .seconds = 0.25,
                 .aggregate = 0.1,
                 .validate = 0.2,
                 .tasks = {{.shard = 0,
                            .node = "h:1",
                            .transfer = 1,
                            .compute = 2,
                            .wait = 3,
                            .epochs = 4,
                            .loss = 5,
                            .offers = 6}},
                 .missing = {}}};
  return job;
}

TEST(Report, TextResultIsTheFinalErrorAlone) {
  std::ostringstream out;
  write_result(out, job_with(JobState::kSucceeded), Format::kText);
  EXPECT_EQ(out.str(), "final validation error: 0.500000\n");
  std::ostringstream failed;
  write_result(failed, job_with(JobState::kFailed), Format::kText);
  EXPECT_EQ(failed.str(), "");
}

TEST(Report, JsonResultIsOneObject) {
  std::ostringstream out;
  write_result(out, job_with(JobState::kFailed), Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_EQ(result.at("job_id"), "j");
  EXPECT_EQ(result.at("state"), "failed");
  EXPECT_EQ(result.at("reason"), "a_reason");
  EXPECT_EQ(result.at("validation_error"), 0.5);
  EXPECT_EQ(result.at("rounds").at(0).at("seconds"), 0.25);
  EXPECT_EQ(result.at("nodes").at(0).at("refused"), 1);
  EXPECT_EQ(result.at("parameters_sha256"), std::string(64, '0'));
}

TEST(Report, RoundsThatWereNotValidatedHaveNoError) {
  FollowedJob job = job_with(JobState::kSucceeded);
  job.rounds.insert(job.rounds.begin(), job.rounds.front());
  job.rounds.front().validation_error.reset();
  job.rounds.back().round = 2;
  std::ostringstream out;
  write_result(out, job, Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_TRUE(result.at("rounds").at(0).at("validation_error").is_null());
  EXPECT_EQ(result.at("rounds").at(1).at("validation_error"), 0.5);
  EXPECT_EQ(result.at("validation_error"), 0.5);
}

/// A job of two rounds of which the first is the best so far.
FollowedJob stopped_early() {
  FollowedJob job = job_with(JobState::kSucceeded);
  job.rounds.push_back(job.rounds.front());
  job.rounds.back().round = 2;
  job.rounds.back().validation_error = 0.75;
  job.status.best_round = 1;
  return job;
}

TEST(Report, ResultOfAnEarlyStopIsTheBestRounds) {
  const FollowedJob job = stopped_early();
  EXPECT_EQ(result_round(job), &job.rounds.front());
  std::ostringstream text;
  write_result(text, job, Format::kText);
  EXPECT_EQ(text.str(), "final validation error: 0.500000\nbest round: 1\n");
  std::ostringstream out;
  write_result(out, job, Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_EQ(result.at("validation_error"), 0.5);
  EXPECT_EQ(result.at("best_round"), 1);
  EXPECT_EQ(result.at("rounds").size(), 2U);
}

TEST(Report, ResultOfOtherJobsIsTheLastRounds) {
  FollowedJob job = stopped_early();
  job.status.best_round = 0;
  EXPECT_EQ(result_round(job), &job.rounds.back());
  std::ostringstream out;
  write_result(out, job, Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_EQ(result.at("validation_error"), 0.75);
  EXPECT_FALSE(result.contains("best_round"));
  job.rounds.clear();
  EXPECT_EQ(result_round(job), nullptr);
}

TEST(Report, TimingHasARowARoundAndARowATask) {
  EXPECT_EQ(
      timing_csv(job_with(JobState::kSucceeded).rounds),
      "row,round,shard,node,seconds,transfer,compute,wait,aggregate,validate,epochs,loss,offers\n"
      "round,1,,,0.250000,1.000000,2.000000,3.000000,0.100000,0.200000,,,\n"
      "task,1,1,h:1,6.000000,1.000000,2.000000,3.000000,,,4,5.000000,6\n");
}

TEST(Report, SaysWhatRoundsWentWithout) {
  FollowedJob job = stopped_early();
  job.status.best_round = 0;
  job.status.exact = false;
  job.rounds.back().missing = {0, 4};
  std::ostringstream text;
  write_result(text, job, Format::kText);
  EXPECT_EQ(text.str(),
            "final validation error: 0.750000\nnot exact: 1 of 2 rounds went without some shards, "
            "the first of them round 2 without 1, 5\n");
  std::ostringstream out;
  write_result(out, job, Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_EQ(result.at("exact"), false);
  EXPECT_EQ(result.at("incomplete_rounds"),
            nlohmann::json::array({{{"round", 2}, {"missing_shards", {1, 5}}}}));
}

TEST(Report, AnExactJobHasNoIncompleteRounds) {
  std::ostringstream out;
  write_result(out, job_with(JobState::kSucceeded), Format::kJson);
  const nlohmann::json result = nlohmann::json::parse(out.str());
  EXPECT_EQ(result.at("exact"), true);
  EXPECT_FALSE(result.contains("incomplete_rounds"));
}

}  // namespace
}  // namespace gradmill::client
