#include "client/report/progress.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace gradmill::client {
namespace {

FollowedJob job_with(JobState state) {
  FollowedJob job;
  job.status.job = "j";
  job.status.state = state;
  job.status.rounds = 2;
  job.status.shards = 1;
  RoundReport& round = job.rounds.emplace_back();
  round.round = 1;
  round.validation_error = 0.5;
  round.seconds = 0.25;
  return job;
}

TEST(Progress, OnATerminalIsOneRedrawnLine) {
  std::ostringstream err;
  Progress progress(err, 80);
  FollowedJob job = job_with(JobState::kRunning);
  job.status.round = 2;
  progress.show(job);
  job.status.shards_done = 1;
  progress.show(job);
  progress.finish();
  EXPECT_EQ(err.str().find('\n'), err.str().size() - 1);
  EXPECT_NE(err.str().find("round 2/2 ["), std::string::npos) << err.str();
  EXPECT_NE(err.str().find("1/1 shards, error 0.5000"), std::string::npos) << err.str();
}

TEST(Progress, ElsewhereIsALineARound) {
  std::ostringstream err;
  Progress progress(err, 0);
  FollowedJob job;
  job.status.job = "j";
  job.status.ahead = 3;
  progress.show(job);
  progress.show(job);
  progress.show(job_with(JobState::kRunning));
  EXPECT_EQ(err.str(), "job j: pending, 3 ahead\nround 1/2: validation error 0.500000 (0.25 s)\n");
}

TEST(Progress, OfAPredictionJobIsALineForEachTenthOfTheRows) {
  std::ostringstream err;
  Progress progress(err, 0);
  FollowedJob job;
  job.status.state = JobState::kRunning;
  job.status.prediction = PredictionStatus{.rows = 1000, .rows_done = 0};
  for (const std::uint64_t done : {0, 50, 100, 150, 1000}) {
    job.status.prediction->rows_done = done;
    progress.show(job);
  }
  std::istringstream lines(err.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line.find("row 100/1000, "), 0U) << line;
  EXPECT_TRUE(line.ends_with(" rows/s")) << line;
  std::getline(lines, line);
  EXPECT_EQ(line.find("row 1000/1000, "), 0U) << line;
  EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST(Progress, OfAPredictionJobOnATerminalHasItsAccuracy) {
  std::ostringstream err;
  Progress progress(err, 120);
  FollowedJob job;
  job.status.state = JobState::kRunning;
  job.status.prediction =
      PredictionStatus{.rows = 10, .rows_done = 4, .wrong = 1, .labelled = true};
  progress.show(job);
  progress.finish();
  EXPECT_NE(err.str().find("row 4/10 ["), std::string::npos) << err.str();
  EXPECT_NE(err.str().find(", accuracy 0.7500"), std::string::npos) << err.str();
}

/// Counts how often it is flushed.
class CountingBuffer : public std::stringbuf {
 public:
  int flushes = 0;

 protected:
  int sync() override {
    ++flushes;
    return std::stringbuf::sync();
  }
};

TEST(Progress, ManyRoundsAtOnceAreOneWrite) {
  CountingBuffer buffer;
  std::ostream err(&buffer);
  Progress progress(err, 0);
  FollowedJob job = job_with(JobState::kRunning);
  job.status.rounds = 1000;
  job.rounds.resize(1000, job.rounds.front());
  progress.show(job);
  progress.show(job);
  EXPECT_EQ(buffer.flushes, 1);
  const std::string text = buffer.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1000);
}

TEST(Progress, APauseIsToldOnce) {
  std::ostringstream err;
  Progress progress(err, 0);
  FollowedJob job = job_with(JobState::kPaused);
  progress.show(job);
  job.status.notice = "something";
  progress.show(job);
  progress.show(job);
  const std::string paused = "job j: paused; go on with: client job resume j\n";
  EXPECT_EQ(err.str(), "round 1/2: validation error 0.500000 (0.25 s)\n" + paused + "something\n");
  err.str("");
  job.status.state = JobState::kRunning;
  progress.show(job);
  EXPECT_EQ(err.str(), "");
  job.status.state = JobState::kPaused;
  progress.show(job);
  EXPECT_EQ(err.str(), paused);
}

TEST(Progress, ShowsThatAJobRecovers) {
  std::ostringstream lines;
  Progress(lines, 0).show(job_with(JobState::kRecovering));
  EXPECT_NE(lines.str().find("job j: recovering"), std::string::npos);
  std::ostringstream terminal;
  Progress(terminal, 80).show(job_with(JobState::kRecovering));
  EXPECT_EQ(terminal.str().find("\rjob j: recovering"), 0U);
}

}  // namespace
}  // namespace gradmill::client
