#include "client/commands/statistics_commands.h"

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/fake_link.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

QueryStatistics queries() {
  return {.queries = 42,
          .rows = 4200,
          .seconds = 4,
          .queries_per_second = 12.5,
          .rows_per_second = 1250,
          .queue = {0.0012, 0.00034, 0.001, 0.002, 0.003, 0.004},
          .compute = {1.25e-6, 1e-7, 9e-7, 2e-6, 3e-6, 4e-6},
          .total = {0.5, 0, 0.5, 1, 1.5, 100}};
}

class StatisticsCommands : public testing::Test {
 protected:
  int run(const Request& request) {
    out_.str("");
    link_.calls.clear();
    return client::run(request, link_, {out_, err_, 0, interrupted_});
  }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(StatisticsCommands, OfAJobAreATableOrAnObject) {
  link_.statistics_of_job = {
      .job = "j", .state = JobState::kRunning, .predicts = true, .tasks = queries()};
  link_.summaries.emplace_back().job = "j";
  JobStatsRequest request;
  request.job = "latest";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, (std::vector<std::string>{"jobs 1", "job statistics j"}));
  EXPECT_EQ(out_.str(),
            "job j, running: 42 batches, 4200 rows in 4.00 s; 10.5 batches a second over all, 12.5 "
            "over the last 10 s (1250.0 rows)\n"
            "TIME        MEAN      SD      P50      P90      P95      P99\n"
            "queue    1.20 ms  340 us  1.00 ms  2.00 ms  3.00 ms  4.00 ms\n"
            "compute  1.25 us  100 ns   900 ns  2.00 us  3.00 us  4.00 us\n"
            "total     500 ms    0 ns   500 ms   1.00 s   1.50 s    100 s\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("job_id"), "j");
  EXPECT_EQ(json().at("kind"), "prediction");
  EXPECT_EQ(json().at("state"), "running");
  const nlohmann::json tasks = json().at("tasks");
  EXPECT_EQ(tasks.at("queries"), 42);
  EXPECT_EQ(tasks.at("rows"), 4200);
  EXPECT_EQ(tasks.at("queries_per_second"), 12.5);
  EXPECT_EQ(tasks.at("queue_seconds").at("sd"), 0.00034);
  EXPECT_EQ(tasks.at("total_seconds").at("p99"), 100);
}

TEST_F(StatisticsCommands, OfAJobThatHasEndedHaveNoRateOfNow) {
  link_.statistics_of_job = {
      .job = "j", .state = JobState::kSucceeded, .predicts = false, .tasks = queries()};
  JobStatsRequest request;
  request.job = "j";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str().find("job j, succeeded: 42 tasks, 4200 rows in 4.00 s; 10.5 tasks a second "
                            "over all\n"),
            0U)
      << out_.str();
  link_.statistics_of_job.tasks.reset();
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str(), "job j, succeeded: - (no statistics were kept of it)\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_TRUE(json().at("tasks").is_null());
}

TEST_F(StatisticsCommands, OfAModelTellRequestsFromBatches) {
  link_.statistics_of_model = {.model = "m", .version = 3, .requests = queries(), .batches = {}};
  ModelStatsRequest request;
  request.model = "m@champion";
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"model statistics m@champion"});
  EXPECT_EQ(out_.str().find("model m@3, predictions at once: 42 requests, 4200 rows in "), 0U)
      << out_.str();
  EXPECT_NE(out_.str().find("\nmodel m@3, prediction jobs: none so far\n"), std::string::npos)
      << out_.str();
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("model"), "m");
  EXPECT_EQ(json().at("version"), 3);
  EXPECT_EQ(json().at("requests").at("compute_seconds").at("p50"), 9e-7);
  EXPECT_TRUE(json().at("batches").at("compute_seconds").at("p50").is_null());
}

TEST(DurationText, HasAUnitThatSuits) {
  EXPECT_EQ(duration_text(0), "0 ns");
  EXPECT_EQ(duration_text(17e-9), "17 ns");
  EXPECT_EQ(duration_text(999.4e-9), "999 ns");
  EXPECT_EQ(duration_text(999.6e-9), "1.00 us");
  EXPECT_EQ(duration_text(12.34e-6), "12.3 us");
  EXPECT_EQ(duration_text(99.96e-6), "100 us");
  EXPECT_EQ(duration_text(0.0123), "12.3 ms");
  EXPECT_EQ(duration_text(0.9996), "1.00 s");
  EXPECT_EQ(duration_text(12'345), "12345 s");
}

}  // namespace
}  // namespace gradmill::client
