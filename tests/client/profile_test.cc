#include "client/report/profile.h"

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/report/profile_plot.h"
#include "client/report/profile_table.h"

namespace gradmill::client {
namespace {

using testing::HasSubstr;

TaskReport task(std::uint32_t shard, const std::string& node, double compute, double transfer) {
  TaskReport one;
  one.shard = shard;
  one.node = node;
  one.compute = compute;
  one.transfer = transfer;
  one.epochs = 2;
  return one;
}

RoundReport round_of(std::uint32_t number, double seconds, std::vector<TaskReport> tasks) {
  RoundReport round;
  round.round = number;
  round.seconds = seconds;
  round.tasks = std::move(tasks);
  return round;
}

JobDetails job_of(std::vector<std::uint64_t> shard_rows) {
  JobDetails job;
  job.status.job = "j";
  job.specification.rule.epochs = 2;
  job.shard_rows = std::move(shard_rows);
  return job;
}

TEST(Profile, SharesTheTimeOfAllNodesOut) {
  // Two nodes for two seconds: 1 + 0.5 of compute, 0.25 + 0.25 of transfer, 0.1 of averaging each.
  const JobDetails job = job_of({100, 50});
  RoundReport round = round_of(1, 2, {task(0, "a:1", 1, 0.25), task(1, "b:1", 0.5, 0.25)});
  round.aggregate = 0.1;
  round.validate = 0.7;
  const JobProfile profile = profile_of(job, {round});
  ASSERT_EQ(profile.nodes.size(), 2U);
  EXPECT_DOUBLE_EQ(profile.nodes[0].wait, 0.65);
  EXPECT_DOUBLE_EQ(profile.nodes[1].wait, 1.15);
  EXPECT_EQ(profile.rows, 300U);
  EXPECT_DOUBLE_EQ(profile.baseline_rate, 200);
  EXPECT_DOUBLE_EQ(profile.rate, 150);
  EXPECT_DOUBLE_EQ(profile.speedup(), 0.75);
  EXPECT_DOUBLE_EQ(profile.compute_share, 1.5 / 4);
  EXPECT_DOUBLE_EQ(profile.transfer_share, 0.5 / 4);
  EXPECT_DOUBLE_EQ(profile.wait_share, 1.8 / 4);
  EXPECT_DOUBLE_EQ(profile.aggregate_share, 0.2 / 4);
  EXPECT_DOUBLE_EQ(profile.validate, 0.7);
}

TEST(Profile, CountsANodeThatHadNothingInARoundAsWaiting) {
  const JobDetails job = job_of({10});
  const JobProfile profile = profile_of(
      job, {round_of(1, 1, {task(0, "a:1", 1, 0)}), round_of(2, 3, {task(0, "b:1", 3, 0)})});
  EXPECT_DOUBLE_EQ(profile.nodes[0].wait, 3);
  EXPECT_DOUBLE_EQ(profile.nodes[1].wait, 1);
  EXPECT_DOUBLE_EQ(profile.speedup(), 1);
}

TEST(Profile, CountsRowsOfJobsInSteps) {
  JobDetails job = job_of({1000});
  job.specification.rule.epochs = 0;
  job.specification.rule.steps_per_round = 5;
  job.specification.rule.batch_size = 16;
  EXPECT_EQ(profile_of(job, {round_of(1, 1, {task(0, "a:1", 1, 0)})}).rows, 80U);
}

std::string advice(const JobDetails& job, const std::vector<RoundReport>& rounds) {
  return advice_on(profile_of(job, rounds), job);
}

TEST(Profile, SaysWhatWouldRaiseIt) {
  const JobDetails two = job_of({10, 10});
  EXPECT_EQ(advice(two, {}), "No round is finished yet.");
  EXPECT_THAT(advice(two, {round_of(1, 2, {task(0, "a:1", 1, 0), task(1, "a:1", 1, 0)})}),
              HasSubstr("One node did all of it"));
  EXPECT_THAT(
      advice(two,
             {round_of(1, 0.01, {task(0, "a:1", 0.001, 0.009), task(1, "b:1", 0.001, 0.009)})}),
      HasSubstr("computes only 1.00 ms a round"));
  EXPECT_THAT(advice(two, {round_of(1, 1, {task(0, "a:1", 0.95, 0), task(1, "b:1", 0.95, 0)})}),
              HasSubstr("up to the 2 shards"));
  EXPECT_THAT(advice(two, {round_of(1, 1, {task(0, "a:1", 0.5, 0.4), task(1, "b:1", 0.5, 0.4)})}),
              HasSubstr("Transfer took 40 %"));
  RoundReport averaged = round_of(1, 1, {task(0, "a:1", 0.5, 0), task(1, "b:1", 0.5, 0)});
  averaged.aggregate = 0.5;
  EXPECT_THAT(advice(two, {averaged}), HasSubstr("averaging took 50 %"));
}

TEST(Profile, SaysWhyNodesWait) {
  EXPECT_THAT(
      advice(job_of({10}),
             {round_of(1, 1, {task(0, "a:1", 1, 0)}), round_of(2, 1, {task(0, "b:1", 1, 0)})}),
      HasSubstr("1 shard keeps no more than 1 of 2 nodes busy"));
  EXPECT_THAT(
      advice(job_of({10, 10, 10}),
             {round_of(1, 2, {task(0, "a:1", 1, 0), task(1, "a:1", 1, 0), task(2, "b:1", 1, 0)})}),
      HasSubstr("do not share out evenly over 2 nodes"));
  EXPECT_THAT(
      advice(job_of({10, 10}), {round_of(1, 2, {task(0, "a:1", 2, 0), task(1, "b:1", 1, 0)})}),
      HasSubstr("2.0 times as long"));
  EXPECT_THAT(
      advice(job_of({10, 10}), {round_of(1, 2, {task(0, "a:1", 1, 0), task(1, "b:1", 1, 0)})}),
      HasSubstr("other jobs"));
  JobDetails job = job_of({10, 10});
  job.status.nodes = {{.node = "a:1", .tasks = 1, .refused = 3, .failed = 1},
                      {.node = "b:1", .tasks = 1, .refused = 4, .failed = 2}};
  const std::vector<RoundReport> rounds = {
      round_of(1, 2, {task(0, "a:1", 1, 0), task(1, "b:1", 1, 0)})};
  EXPECT_THAT(advice(job, rounds), HasSubstr("simulated load refused 7 offers, 4 of them at b:1"));
  job.status.nodes[1].refused = 0;
  job.status.nodes[1].failed = 6;
  EXPECT_THAT(advice(job, rounds), HasSubstr("7 tasks failed or were lost, 6 of them at b:1"));
}

TEST(ProfileTable, ShowsFirstAndLastRoundsAndAllInJson) {
  const JobDetails job = job_of({10, 10});
  std::vector<RoundReport> rounds;
  for (std::uint32_t n = 1; n <= 30; ++n) {
    rounds.push_back(round_of(n, 1, {task(0, "a:1", 0.9, 0), task(1, "b:1", 0.9, 0.05)}));
  }
  const JobProfile profile = profile_of(job, rounds);
  std::ostringstream text;
  write_profile(text, job, profile, Format::kText);
  EXPECT_THAT(text.str(), HasSubstr("\n    5  coordinator"));
  EXPECT_THAT(text.str(), testing::Not(HasSubstr("\n    6  ")));
  EXPECT_THAT(text.str(), HasSubstr("\n   26  a:1"));
  EXPECT_THAT(text.str(), HasSubstr("speed-up 1.80 with 2 nodes"));
  std::ostringstream json;
  write_profile(json, job, profile, Format::kJson);
  const auto parsed = nlohmann::json::parse(json.str());
  EXPECT_EQ(parsed.at("rounds").size(), 30U);
  EXPECT_NEAR(parsed.at("speedup").get<double>(), 1.8, 1e-9);
  EXPECT_DOUBLE_EQ(parsed.at("rounds")[3].at("nodes")[1].at("transfer"), 0.05);
}

TEST(ProfilePlot, IsDrawnByGnuplotWhateverTheTitle) {
  const JobDetails job = job_of({10, 10});
  std::vector<RoundReport> rounds;
  for (std::uint32_t n = 1; n <= 1000; ++n) {
    rounds.push_back(round_of(n, 0.01, {task(0, "a:1", 0.009, 0), task(1, "b:1", 0.008, 0.001)}));
  }
  const std::string svg =
      run_gnuplot(plot_script(profile_of(job, rounds), "it's $(a) \"title\" `of` %d <x>"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("it's $(a) \"title\" `of` %d &lt;x>"));
  for (const char* const part :
       {"node a:1", "node b:1", "coordinator", "computing", "averaging", "validating"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
}

TEST(ProfilePlot, SaysWhatIsWrong) {
  EXPECT_ANY_THROW(static_cast<void>(run_gnuplot("plot nonsense nonsense\n")));
}

}  // namespace
}  // namespace gradmill::client
