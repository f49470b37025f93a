#include "wire/status_convert.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

gradmill::JobStatus status() {
  gradmill::JobStatus job;
  job.job = "j";
  job.version = 9;
  job.state = gradmill::JobState::kPaused;
  job.ahead = 1;
  job.rounds = 24;
  job.round = 3;
  job.shards = 11;
  job.shards_done = 10;
  gradmill::RoundReport& round = job.finished.emplace_back();
  round.round = 2;
  round.validation_error = 0.25;
  round.seconds = 1;
  round.aggregate = 2;
  round.validate = 3;
  round.tasks = {{.shard = 4,
                  .node = "h:1",
                  .transfer = 1,
                  .compute = 2,
                  .wait = 3,
                  .epochs = 5,
                  .loss = 6,
                  .offers = 7}};
  round.missing = {0, 8};
  job.nodes = {{.node = "h:1", .tasks = 1, .refused = 2, .failed = 3}};
  job.reason = "r";
  job.message = "m";
  job.parameters = {sha256("weights"), 7};
  job.best_round = 2;
  job.notice = "n";
  job.exact = false;
  job.submitted_ms = 1'700'000'000'000;
  job.ended_ms = 1'700'000'000'001;
  job.asked = "pause";
  job.registered = "letters@2";
  return job;
}

TEST(StatusConvert, StatusComesBackAsItWas) {
  const gradmill::JobStatus sent = status();
  const gradmill::JobStatus got = status_from(to_wire(sent));
  EXPECT_EQ(got.job, "j");
  EXPECT_EQ(got.version, 9U);
  EXPECT_EQ(got.state, gradmill::JobState::kPaused);
  EXPECT_EQ(got.ahead, 1U);
  EXPECT_EQ(got.rounds, 24U);
  EXPECT_EQ(got.round, 3U);
  EXPECT_EQ(got.shards, 11U);
  EXPECT_EQ(got.shards_done, 10U);
  EXPECT_EQ(got.reason, "r");
  EXPECT_EQ(got.message, "m");
  EXPECT_EQ(got.parameters, sent.parameters);
  EXPECT_EQ(got.best_round, 2U);
  EXPECT_EQ(got.notice, "n");
  EXPECT_FALSE(got.exact);
  EXPECT_EQ(got.submitted_ms, sent.submitted_ms);
  EXPECT_EQ(got.ended_ms, sent.ended_ms);
  EXPECT_EQ(got.asked, "pause");
  EXPECT_EQ(got.registered, "letters@2");
  ASSERT_EQ(got.nodes.size(), 1U);
  EXPECT_EQ(got.nodes[0].failed, 3U);
  ASSERT_EQ(got.finished.size(), 1U);
  const gradmill::RoundReport& round = got.finished[0];
  EXPECT_EQ(round.round, 2U);
  EXPECT_EQ(round.validation_error, 0.25);
  EXPECT_EQ(round.validate, 3);
  EXPECT_EQ(round.missing, (std::vector<std::uint32_t>{0, 8}));
  ASSERT_EQ(round.tasks.size(), 1U);
  EXPECT_EQ(round.tasks[0].shard, 4U);
  EXPECT_EQ(round.tasks[0].loss, 6);
  EXPECT_EQ(round.tasks[0].offers, 7U);
}

TEST(StatusConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<JobStatus> wrongs = {
      {"the version", [](auto& job) { job.version = -1; }},
      {"the state of the job", [](auto& job) { job.state = JobState::UNKNOWN; }},
      {"the number of jobs ahead", [](auto& job) { job.ahead = -1; }},
      {"the number of rounds", [](auto& job) { job.rounds = -1; }},
      {"the round", [](auto& job) { job.round = -1; }},
      {"the number of shards", [](auto& job) { job.shards = -1; }},
      {"the shards done", [](auto& job) { job.shards_done = -1; }},
      {"a round", [](auto& job) { job.finished[0].round = -1; }},
      {"a validation error", [](auto& job) { job.finished[0].validation_error = kNan; }},
      {"a validation error", [](auto& job) { job.finished[0].validation_error = 1.5; }},
      {"a round's seconds", [](auto& job) { job.finished[0].seconds = kNan; }},
      {"a round's aggregate", [](auto& job) { job.finished[0].aggregate = kNan; }},
      {"a round's validate", [](auto& job) { job.finished[0].validate = kNan; }},
      {"a missing shard", [](auto& job) { job.finished[0].missing[1] = -1; }},
      {"a shard", [](auto& job) { job.finished[0].tasks[0].shard = -1; }},
      {"a task's transfer", [](auto& job) { job.finished[0].tasks[0].transfer = kNan; }},
      {"a task's compute", [](auto& job) { job.finished[0].tasks[0].compute = kNan; }},
      {"a task's wait", [](auto& job) { job.finished[0].tasks[0].wait = kNan; }},
      {"a task's loss", [](auto& job) { job.finished[0].tasks[0].loss = kNan; }},
      {"a number of epochs", [](auto& job) { job.finished[0].tasks[0].epochs = -1; }},
      {"a number of offers", [](auto& job) { job.finished[0].tasks[0].offers = -1; }},
      {"a number of tasks", [](auto& job) { job.nodes[0].tasks = -1; }},
      {"refusals", [](auto& job) { job.nodes[0].refused = -1; }},
      {"failures", [](auto& job) { job.nodes[0].failed = -1; }},
      {"the parameters", [](auto& job) { job.parameters.digest = "short"; }},
      {"the best round", [](auto& job) { job.best_round = -1; }},
      {"the time of submission", [](auto& job) { job.submitted_ms = -1; }},
      {"the time of the end", [](auto& job) { job.ended_ms = kHuge; }},
      {"what was asked", [](auto& job) { job.asked = "dance"; }},
  };
  expect_refusals(to_wire(status()), wrongs, status_from);
}

TEST(StatusConvert, APredictionJobComesBackAsItWas) {
  gradmill::JobStatus sent = status();
  sent.prediction = gradmill::PredictionStatus{.rows = 10,
                                               .rows_done = 7,
                                               .wrong = 2,
                                               .batch_rows = 3,
                                               .labelled = true,
                                               .model = "m",
                                               .version = 4};
  const auto got = status_from(to_wire(sent)).prediction;
  ASSERT_TRUE(got);
  EXPECT_EQ(got->rows, 10U);
  EXPECT_EQ(got->rows_done, 7U);
  EXPECT_EQ(got->wrong, 2U);
  EXPECT_EQ(got->batch_rows, 3U);
  EXPECT_TRUE(got->labelled);
  EXPECT_EQ(got->model, "m");
  EXPECT_EQ(got->version, 4U);
  EXPECT_FALSE(status_from(to_wire(status())).prediction);
  const Wrongs<JobStatus> wrongs = {
      {"the number of rows", [](auto& job) { job.prediction.rows = -1; }},
      {"the rows done", [](auto& job) { job.prediction.rows_done = -1; }},
      {"the rows done", [](auto& job) { job.prediction.rows_done = 11; }},
      {"the wrong rows", [](auto& job) { job.prediction.wrong = -1; }},
      {"the wrong rows", [](auto& job) { job.prediction.wrong = 8; }},
      {"the rows of a batch", [](auto& job) { job.prediction.batch_rows = -1; }},
      {"the version of the model", [](auto& job) { job.prediction.version = -1; }},
  };
  expect_refusals(to_wire(sent), wrongs, status_from);
  gradmill::JobSummary summary;
  summary.prediction = sent.prediction;
  const auto summaries = summaries_from(to_wire(std::vector<gradmill::JobSummary>{summary, {}}));
  EXPECT_EQ(summaries.at(0).prediction->rows_done, 7U);
  EXPECT_FALSE(summaries.at(1).prediction);
}

TEST(StatusConvert, EveryStateAndCommandComesBackAsItWas) {
  for (const auto state : {gradmill::JobState::kPending,
                           gradmill::JobState::kRunning,
                           gradmill::JobState::kRecovering,
                           gradmill::JobState::kPaused,
                           gradmill::JobState::kSucceeded,
                           gradmill::JobState::kFailed,
                           gradmill::JobState::kCancelled}) {
    EXPECT_EQ(job_state_from(to_wire(state)), state);
  }
  for (const auto command : {gradmill::JobCommand::kCancel,
                             gradmill::JobCommand::kPause,
                             gradmill::JobCommand::kResume}) {
    EXPECT_EQ(command_from(to_wire(command)), command);
  }
  EXPECT_EQ(to_wire(gradmill::JobState::kCancelled), JobState::CANCELLED);
  EXPECT_EQ(to_wire(gradmill::JobCommand::kResume), JobCommand::RESUME);
  EXPECT_THROW(static_cast<void>(command_from(JobCommand::UNKNOWN)), Error);
}

TEST(StatusConvert, ControlComesBackAsItWas) {
  const ControlJobResponse sent = to_wire("j", {gradmill::JobState::kRunning, "cancel"});
  EXPECT_EQ(sent.job_id, "j");
  const gradmill::JobControl got = control_from(sent);
  EXPECT_EQ(got.state, gradmill::JobState::kRunning);
  EXPECT_EQ(got.asked, "cancel");
  const Wrongs<ControlJobResponse> wrongs = {
      {"the state of the job", [](auto& job) { job.state = JobState::UNKNOWN; }},
      {"what was asked", [](auto& job) { job.asked = "resume"; }}};
  expect_refusals(sent, wrongs, control_from);
}

TEST(StatusConvert, SummariesComeBackAsTheyWere) {
  gradmill::JobSummary job;
  job.job = "j";
  job.state = gradmill::JobState::kFailed;
  job.round = 3;
  job.rounds = 5;
  job.shards = 7;
  job.validation_error = 0.5;
  job.submitted_ms = 11;
  job.ended_ms = 13;
  job.reason = "r";
  job.message = "m";
  job.exact = false;
  job.tasks = 61;
  const ListJobsResponse sent = to_wire(std::vector{job, gradmill::JobSummary{}});
  const std::vector<gradmill::JobSummary> got = summaries_from(sent);
  EXPECT_EQ(got[0].tasks, 61U);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].job, "j");
  EXPECT_EQ(got[0].state, gradmill::JobState::kFailed);
  EXPECT_EQ(got[0].round, 3U);
  EXPECT_EQ(got[0].rounds, 5U);
  EXPECT_EQ(got[0].shards, 7U);
  EXPECT_EQ(got[0].validation_error, 0.5);
  EXPECT_EQ(got[0].submitted_ms, 11);
  EXPECT_EQ(got[0].ended_ms, 13);
  EXPECT_EQ(got[0].reason, "r");
  EXPECT_EQ(got[0].message, "m");
  EXPECT_FALSE(got[0].exact);
  EXPECT_FALSE(got[1].validation_error.has_value());
  const Wrongs<ListJobsResponse> wrongs = {
      {"the state of the job", [](auto& list) { list.jobs[1].state = JobState::UNKNOWN; }},
      {"the round", [](auto& list) { list.jobs[0].round = -1; }},
      {"the number of rounds", [](auto& list) { list.jobs[0].rounds = -1; }},
      {"the number of shards", [](auto& list) { list.jobs[0].shards = -1; }},
      {"a validation error", [](auto& list) { list.jobs[0].validation_error = -0.5; }},
      {"the time of submission", [](auto& list) { list.jobs[0].submitted_ms = -1; }},
      {"the time of the end", [](auto& list) { list.jobs[0].ended_ms = -1; }},
  };
  expect_refusals(sent, wrongs, summaries_from);
}

}  // namespace
}  // namespace gradmill::wire
