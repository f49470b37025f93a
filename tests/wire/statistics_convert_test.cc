#include "wire/statistics_convert.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

gradmill::QueryStatistics queries(double first) {
  const auto durations = [&](double from) {
    return gradmill::DurationStatistics{.mean = from,
                                        .sd = from + 1,
                                        .p50 = from + 2,
                                        .p90 = from + 3,
                                        .p95 = from + 4,
                                        .p99 = from + 5};
  };
  return {.queries = 3,
          .rows = 5,
          .seconds = first,
          .queries_per_second = first + 1,
          .rows_per_second = first + 2,
          .queue = durations(first + 10),
          .compute = durations(first + 20),
          .total = durations(first + 30)};
}

gradmill::JobStatistics job() {
  return {
      .job = "j", .state = gradmill::JobState::kPaused, .predicts = true, .tasks = queries(0.5)};
}

gradmill::ModelStatistics model() {
  return {.model = "m", .version = 7, .requests = queries(100), .batches = queries(200)};
}

TEST(StatisticsConvert, ThoseOfJobsComeBackAsTheyWere) {
  const gradmill::JobStatistics got = job_statistics_from(to_wire(job()));
  EXPECT_EQ(got.job, "j");
  EXPECT_EQ(got.state, gradmill::JobState::kPaused);
  EXPECT_TRUE(got.predicts);
  EXPECT_EQ(got.tasks, job().tasks);
  gradmill::JobStatistics none = job();
  none.tasks.reset();
  EXPECT_FALSE(job_statistics_from(to_wire(none)).tasks);
}

TEST(StatisticsConvert, ThoseOfModelsComeBackAsTheyWere) {
  const gradmill::ModelStatistics got = model_statistics_from(to_wire(model()));
  EXPECT_EQ(got.model, "m");
  EXPECT_EQ(got.version, 7U);
  EXPECT_EQ(got.requests, model().requests);
  EXPECT_EQ(got.batches, model().batches);
}

TEST(StatisticsConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<JobStatisticsResponse> wrongs = {
      {"the state of the job", [](auto& one) { one.state = JobState::UNKNOWN; }},
      {"the number of queries", [](auto& one) { one.tasks.queries = -1; }},
      {"the number of rows", [](auto& one) { one.tasks.rows = -1; }},
      {"the time of all queries", [](auto& one) { one.tasks.seconds = -1; }},
      {"the rate of queries", [](auto& one) { one.tasks.queries_per_second = std::nan(""); }},
      {"the rate of rows",
       [](auto& one) { one.tasks.rows_per_second = std::numeric_limits<double>::infinity(); }},
      {"a mean duration", [](auto& one) { one.tasks.queue.mean = -1; }},
      {"the deviation of a duration", [](auto& one) { one.tasks.compute.sd = -1; }},
      {"the median of a duration", [](auto& one) { one.tasks.total.p50 = std::nan(""); }},
      {"the 90th percentile", [](auto& one) { one.tasks.queue.p90 = -1; }},
      {"the 95th percentile", [](auto& one) { one.tasks.queue.p95 = -1; }},
      {"the 99th percentile", [](auto& one) { one.tasks.queue.p99 = -1; }}};
  expect_refusals(to_wire(job()), wrongs, job_statistics_from);
  const Wrongs<ModelStatisticsResponse> of_models = {
      {"'a/b'", [](auto& one) { one.model = "a/b"; }},
      {"the version", [](auto& one) { one.version = -1; }},
      {"the number of queries", [](auto& one) { one.requests.queries = -1; }},
      {"the number of queries", [](auto& one) { one.batches.queries = -1; }}};
  expect_refusals(to_wire(model()), of_models, model_statistics_from);
}

}  // namespace
}  // namespace gradmill::wire
