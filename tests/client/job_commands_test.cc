#include "client/commands/job_commands.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "client/commands/commands.h"
#include "client/fake_link.h"
#include "formats/model_file.h"

namespace gradmill::client {
namespace {

constexpr std::int64_t kSubmitted = 1'700'000'000'000;

JobSummary summary(const std::string& id) {
  JobSummary job;
  job.job = id;
  job.state = JobState::kRunning;
  job.round = 3;
  job.rounds = 10;
  job.shards = 11;
  job.validation_error = 0.25;
  job.submitted_ms = kSubmitted;
  return job;
}

class JobCommandsTest : public testing::Test {
 protected:
  JobCommandsTest() { link_.summaries = {summary("newest"), summary("older")}; }

  int run(const Request& request) {
    out_.str("");
    err_.str("");
    link_.calls.clear();
    return client::run(request, link_, {out_, err_, 0, interrupted_});
  }
  /// The code and message of the error.
  std::pair<ErrorCode, std::string> failure(const Request& request) {
    try {
      static_cast<void>(run(request));
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {ErrorCode::kCancelled, "no error"};
  }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

  static ControlJobRequest control(JobCommand command) {
    ControlJobRequest request;
    request.job = "j";
    request.command = command;
    return request;
  }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(JobCommandsTest, ListsAreATableOrAnArray) {
  link_.summaries[0].share = {.priority = -5, .weight = 7};
  link_.summaries[1].state = JobState::kFailed;
  link_.summaries[1].validation_error.reset();
  link_.summaries[1].reason = "diverged";
  link_.summaries[1].ended_ms = kSubmitted + 1234;
  link_.summaries[1].exact = false;
  link_.summaries[1].tasks = 33;
  ListJobsRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"jobs 0"});
  std::istringstream lines(out_.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(
      line.find(
          "JOB     KIND      STATE    PRIORITY  WEIGHT  DONE  SHARDS  TASKS     ERROR  EXACT  "
          "MODEL  SUBMITTED"),
      0U)
      << line;
  std::getline(lines, line);
  EXPECT_EQ(
      line.find(
          "newest  training  running        -5       7  3/10      11      0  0.250000  yes    "
          "-      2023-11-1"),
      0U)
      << line;
  std::getline(lines, line);
  EXPECT_EQ(
      line.find(
          "older   training  failed          0       1  3/10      11     33         -  no     "
          "-      2023-11-1"),
      0U)
      << line;
  EXPECT_TRUE(line.ends_with("  1.2 s  diverged")) << line;

  request.format = Format::kJson;
  request.limit = 1;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().size(), 1U);
  EXPECT_EQ(json()[0].at("job_id"), "newest");
  EXPECT_EQ(json()[0].at("kind"), "training");
  EXPECT_EQ(json()[0].at("state"), "running");
  EXPECT_EQ(json()[0].at("round"), 3);
  EXPECT_EQ(json()[0].at("validation_error"), 0.25);
  EXPECT_EQ(json()[0].at("submitted"), "2023-11-14T22:13:20.000Z");
  EXPECT_TRUE(json()[0].at("ended").is_null());
  EXPECT_TRUE(json()[0].at("seconds").is_null());
  EXPECT_EQ(json()[0].at("tasks"), 0);
  EXPECT_EQ(json()[0].at("exact"), true);
}

TEST_F(JobCommandsTest, AnEmptyListHasItsHeaderOrIsAnEmptyArray) {
  link_.summaries.clear();
  ListJobsRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str().find("JOB  KIND"), 0U);
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json(), nlohmann::json::array());
}

TEST_F(JobCommandsTest, SchedulingIsShownOrSet) {
  SchedulingRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str(), "scheduling: global\n");
  EXPECT_EQ(link_.calls, std::vector<std::string>{"scheduling"});
  request.mode = SchedulingMode::kLocal;
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"schedule local"});
  EXPECT_EQ(json().at("scheduling"), "local");
}

TEST_F(JobCommandsTest, AnExplanationIsARowANodeOrAnObject) {
  link_.explanation = {.job = "j",
                       .state = JobState::kRunning,
                       .scheduling = SchedulingMode::kLocal,
                       .waiting = 2,
                       .nodes = {{.node = "a:1",
                                  .offers = 1,
                                  .queued = 3,
                                  .tasks = 7,
                                  .recent_share = 0.75,
                                  .reason = "",
                                  .message = "has 1 task at work"},
                                 {.node = "b:1",
                                  .offers = 0,
                                  .queued = 0,
                                  .tasks = 0,
                                  .recent_share = std::nullopt,
                                  .reason = "other_jobs_node",
                                  .message = "it belongs to job k (local scheduling)"}}};
  ShowJobRequest request;
  request.job = "j";
  request.explain = true;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"explain j"});
  EXPECT_NE(out_.str().find("job j: running, scheduling local, 2 tasks wait"), std::string::npos);
  EXPECT_NE(out_.str().find("75 %  has 1 task at work"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("other_jobs_node: it belongs to job k"), std::string::npos);
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("kind"), "training");
  EXPECT_EQ(json().at("nodes")[0].at("queued"), 3);
  EXPECT_EQ(json().at("nodes")[0].at("recent_share"), 0.75);
  EXPECT_TRUE(json().at("nodes")[1].at("recent_share").is_null());
  EXPECT_EQ(json().at("nodes")[1].at("reason"), "other_jobs_node");
}

TEST_F(JobCommandsTest, LatestIsTheNewestJob) {
  ShowJobRequest request;
  request.job = "latest";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, (std::vector<std::string>{"jobs 1", "job newest"}));
  link_.summaries.clear();
  EXPECT_EQ(failure(request), std::pair(ErrorCode::kNotFound, std::string("there is no job yet")));
}

TEST_F(JobCommandsTest, ShowsAJobWithWhatWasAskedOfIt) {
  link_.details.status.job = "j";
  link_.details.status.state = JobState::kPaused;
  link_.details.status.asked = "pause";
  link_.details.status.rounds = 9;
  link_.details.status.submitted_ms = kSubmitted;
  link_.details.status.nodes = {{.node = "h:1", .tasks = 5}};
  JobSpecification& job = link_.details.specification;
  job.rule.topology.units = {16, 24, 26};
  job.rule.eta = 0.5;
  job.rule.epochs = 2;
  job.quorum = 3;
  job.round_deadline = std::chrono::milliseconds(1500);
  job.shards = {{sha256("one"), 1}};
  ShowJobRequest request;
  request.job = "j";
  EXPECT_EQ(run(request), 0);
  for (const char* const line : {"state:              paused\n",
                                 "asked:              pause\n",
                                 "topology:           16-24-26\n",
                                 "node:               h:1: 5 tasks, 0 refused, 0 failed\n",
                                 "eta:                0.5\n",
                                 "quorum:             3\n",
                                 "round-deadline-ms:  1500\n"}) {
    EXPECT_NE(out_.str().find(line), std::string::npos) << line << out_.str();
  }
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("state"), "paused");
  EXPECT_EQ(json().at("asked"), "pause");
  EXPECT_TRUE(json().at("parameters_sha256").is_null());
  EXPECT_EQ(json().at("specification").at("eta"), 0.5);
  EXPECT_EQ(json().at("specification").at("optimizer"), "gd");
  EXPECT_EQ(json().at("specification").at("quorum"), 3);
  EXPECT_EQ(json().at("specification").at("round_deadline_ms"), 1500);
  EXPECT_EQ(json().at("specification").at("training_sha256")[0], sha256("one").hex());
}

TEST_F(JobCommandsTest, CancelAndPauseWaitUntilAllNodesKnow) {
  link_.controls = {
      {JobState::kRunning, "cancel"}, {JobState::kCancelled, "cancel"}, {JobState::kCancelled, ""}};
  EXPECT_EQ(run(control(JobCommand::kCancel)), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>(3, "control j 0 1000"));
  EXPECT_EQ(out_.str(), "job j: cancelled\n");
  link_.controls = {{JobState::kRunning, "pause"}, {JobState::kPaused, ""}};
  ControlJobRequest pause = control(JobCommand::kPause);
  pause.format = Format::kJson;
  EXPECT_EQ(run(pause), 0);
  EXPECT_EQ(link_.calls.size(), 2U);
  EXPECT_EQ(json(), (nlohmann::json{{"job_id", "j"}, {"state", "paused"}}));
}

TEST_F(JobCommandsTest, ResumeIsOneCall) {
  link_.controls = {{JobState::kPending, ""}};
  EXPECT_EQ(run(control(JobCommand::kResume)), 0);
  EXPECT_EQ(out_.str(), "job j: pending\n");
  EXPECT_EQ(link_.calls, std::vector<std::string>{"control j 2 1000"});
}

TEST_F(JobCommandsTest, WhatIsNotAcknowledgedInTimeFailsAndNamesTheNodes) {
  link_.controls = {{JobState::kRunning, "pause"}};
  link_.all_nodes.resize(2);
  link_.all_nodes[0].address = {"h", 1};
  link_.all_nodes[0].state = NodeState::kSuspect;
  link_.all_nodes[0].running = 2;
  EXPECT_EQ(failure(control(JobCommand::kPause)),
            std::pair(ErrorCode::kFailed,
                      std::string("job j: pause is asked for, but not acknowledged by all nodes "
                                  "after 30 s; nodes with tasks: h:1 (suspect)")));
  EXPECT_EQ(link_.calls.size(), 31U) << "the last one asks why";
}

TEST_F(JobCommandsTest, AJobThatHadEndedIsBadInput) {
  link_.controls = {{JobState::kSucceeded, ""}};
  for (const JobCommand command : {JobCommand::kCancel, JobCommand::kPause, JobCommand::kResume}) {
    EXPECT_EQ(
        failure(control(command)),
        std::pair(ErrorCode::kInvalidInput, std::string("job j had already ended: succeeded")));
    EXPECT_EQ(out_.str(), "") << "the error says it all";
  }
  link_.controls = {{JobState::kCancelled, ""}};
  EXPECT_EQ(failure(control(JobCommand::kPause)).first, ErrorCode::kInvalidInput);
}

TEST_F(JobCommandsTest, TheUserMayLeaveWhileNodesAcknowledge) {
  interrupted_ = true;
  link_.controls = {{JobState::kRunning, "cancel"}};
  EXPECT_EQ(run(control(JobCommand::kCancel)), 130);
  EXPECT_EQ(out_.str(), "");
}

TEST_F(JobCommandsTest, DeletesAJob) {
  DeleteJobRequest request;
  request.job = "latest";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, (std::vector<std::string>{"jobs 1", "remove newest"}));
  EXPECT_EQ(out_.str(), "job newest: deleted\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("deleted"), true);
}

TEST_F(JobCommandsTest, GarbageIsListedAndSummedUp) {
  link_.garbage = {.jobs = {"a", "b"}, .files = {"f"}, .bytes = 1234};
  CollectGarbageRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str(), "job a\njob b\nfile f\ndeleted 2 jobs and 1 files, 1.2 kB\n");
  EXPECT_EQ(link_.calls, std::vector<std::string>{"collect"});
  request.dry_run = true;
  request.rule = {.jobs = 3, .age = std::chrono::milliseconds(5)};
  EXPECT_EQ(run(request), 0);
  EXPECT_TRUE(out_.str().ends_with("would delete 2 jobs and 1 files, 1.2 kB\n"));
  EXPECT_EQ(link_.calls, std::vector<std::string>{"collect dry 3 5"});
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(
      json(),
      (nlohmann::json{{"dry_run", true}, {"jobs", {"a", "b"}}, {"files", {"f"}}, {"bytes", 1234}}));
}

JobEvent event(std::uint64_t sequence) {
  JobEvent one;
  one.sequence = sequence;
  one.time_ms = kSubmitted + 7;
  one.event = "round_finished";
  return one;
}

JobEvent warning(std::uint64_t sequence) {
  JobEvent one = event(sequence);
  one.warning = true;
  one.event = "task_failed";
  one.round = 2;
  one.shard = 0;
  one.attempt = 9;
  one.node = "h:1";
  one.reason = "connection_lost";
  one.message = "no\nanswer";
  return one;
}

TEST_F(JobCommandsTest, LogsAreALineAnEvent) {
  link_.log = {{{event(1), warning(4)}, false}, {{}, false}};
  JobLogsRequest request;
  request.job = "j";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, (std::vector<std::string>{"logs j 0 0", "logs j 4 0"}));
  EXPECT_NE(out_.str().find(" info round_finished\n"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find(" warning task_failed round 2 shard 1 attempt 9 node h:1 reason "
                            "connection_lost: no?answer\n"),
            std::string::npos)
      << out_.str();
}

TEST_F(JobCommandsTest, LogsAreOneArrayOrAnObjectALine) {
  JobLogsRequest request;
  request.job = "j";
  request.format = Format::kJson;
  link_.log = {{{event(1), warning(2)}, true}};
  EXPECT_EQ(run(request), 0);
  ASSERT_EQ(json().size(), 2U);
  EXPECT_EQ(json()[0],
            (nlohmann::json{{"sequence", 1},
                            {"time", "2023-11-14T22:13:20.007Z"},
                            {"level", "info"},
                            {"event", "round_finished"}}));
  EXPECT_EQ(json()[1].at("shard"), 1);
  request.follow = true;
  link_.log = {{{event(1)}, false}, {{}, false}, {{warning(2)}, true}};
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls,
            (std::vector<std::string>{"logs j 0 1000", "logs j 1 1000", "logs j 1 1000"}));
  std::istringstream lines(out_.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line).at("sequence"), 1);
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line).at("sequence"), 2);
}

class JobOutputTest : public JobCommandsTest {
 protected:
  JobOutputTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    request_.job = "j";
    request_.output = (folder_ / "m.safetensors").string();
    const Blob weights = make_blob(std::string(std::size_t{12} * sizeof(float), '\0'));
    link_.put_blob(weights);
    link_.details.specification.rule.topology.units = {2, 2, 2};
    JobStatus& status = link_.details.status;
    status.job = "j";
    status.state = JobState::kSucceeded;
    status.parameters = weights.ref;
    JobStatus followed = status;
    followed.finished.resize(2);
    followed.finished[0] = {.round = 1, .validation_error = 0.5, .tasks = {}, .missing = {}};
    followed.finished[1] = {.round = 2, .validation_error = 0.25, .tasks = {}, .missing = {}};
    link_.answers = {followed};
  }
  ~JobOutputTest() override { std::filesystem::remove_all(folder_); }
  JobOutputTest(const JobOutputTest&) = delete;
  JobOutputTest& operator=(const JobOutputTest&) = delete;

  std::filesystem::path folder_;
  JobOutputRequest request_;
};

TEST_F(JobOutputTest, IsTheModelOfTheResult) {
  EXPECT_EQ(run(request_), 0);
  EXPECT_EQ(out_.str(), "the weights of round 2 are in " + request_.output + '\n');
  const auto model = formats::decode_model(read_file(request_.output, 1 << 20), "m");
  EXPECT_EQ(model.metadata.at("round"), "2");
  EXPECT_EQ(model.metadata.at("validation_error"), "0.25");
  request_.format = Format::kJson;
  EXPECT_EQ(run(request_), 0);
  EXPECT_EQ(json().at("round"), 2);
  EXPECT_EQ(json().at("validation_error"), 0.25);
}

TEST_F(JobOutputTest, OfAFailedJobAreItsLastGoodWeights) {
  link_.answers.front().state = JobState::kFailed;
  link_.answers.front().message = "why";
  EXPECT_EQ(run(request_), 0);
  EXPECT_EQ(err_.str(), "client: job j failed: why\n");
}

TEST_F(JobOutputTest, NeedsAnEndAndARoundAndAFolder) {
  link_.details.status.state = JobState::kPaused;
  EXPECT_EQ(failure(request_),
            std::pair(ErrorCode::kInvalidInput,
                      std::string("job j is paused and has no result yet; wait for it with: client "
                                  "job follow j")));
  link_.details.status.state = JobState::kCancelled;
  link_.answers.front().finished.clear();
  EXPECT_EQ(failure(request_).first, ErrorCode::kNotFound);
  request_.output = "/nonexistent/m.npz";
  EXPECT_EQ(failure(request_).first, ErrorCode::kInvalidInput);
  request_.output = (folder_ / "m").string();
  EXPECT_EQ(failure(request_),
            std::pair(ErrorCode::kInvalidInput,
                      "--output: " + request_.output +
                          ": a model's file ends in .safetensors, .npz or .onnx"));
  EXPECT_EQ(link_.calls, std::vector<std::string>{"job j"}) << "asked of its kind alone";
}

}  // namespace
}  // namespace gradmill::client
