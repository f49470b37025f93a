#include "coordinator/service/statistics/query_recorder.h"

#include <deque>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/service/statistics/job_recorders.h"
#include "coordinator/service/statistics/model_recorders.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint at(double when) {
  return TimePoint{} + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(when));
}

QueryTiming timing(int ms, std::uint64_t rows = 1) {
  return {.queue = milliseconds(ms),
          .compute = milliseconds(2 * ms),
          .total = milliseconds(4 * ms),
          .rows = rows};
}

TEST(RateWindow, ForgetsWhatIsOlderThanTenSeconds) {
  RateWindow window;
  EXPECT_EQ(window.per_second(at(100), at(0)), 0);
  window.add(at(100.0), 50);
  EXPECT_DOUBLE_EQ(window.per_second(at(100.5), at(0)), 5);
  EXPECT_DOUBLE_EQ(window.per_second(at(109.9), at(0)), 5);
  EXPECT_NEAR(window.per_second(at(110.5), at(0)), 2.5, 1e-6) << "half of its second is too old";
  EXPECT_EQ(window.per_second(at(111), at(0)), 0);
  EXPECT_EQ(window.per_second(at(100'000), at(0)), 0);
}

TEST(RateWindow, OfTheFirstSecondsIsNotDiluted) {
  RateWindow window;
  window.add(at(100.2), 6);
  window.add(at(102.0), 6);
  EXPECT_DOUBLE_EQ(window.per_second(at(103), at(100)), 4);
  EXPECT_DOUBLE_EQ(window.per_second(at(103), at(102.9)), 12) << "a second at least";
}

TEST(RateWindow, IsCloseToThatOfAllTimes) {
  std::mt19937_64 random(7);
  RateWindow window;
  std::deque<std::pair<double, std::uint64_t>> all;
  double now = 50;
  for (int n = 0; n < 20'000; ++n) {
    now += std::exponential_distribution<double>(200)(random);
    const std::uint64_t count = random() % 4;
    window.add(at(now), count);
    all.emplace_back(now, count);
    while (all.front().first <= now - 10) {
      all.pop_front();
    }
    std::uint64_t sum = 0;
    for (const auto& [when, one] : all) {
      sum += one;
    }
    // Of the oldest second only its share is known: some 300 of 3000, give or take.
    ASSERT_NEAR(window.per_second(at(now), at(0)), static_cast<double>(sum) / 10, 12) << now;
  }
}

TEST(QueryRecorder, CountsWhatItIsTold) {
  QueryRecorder recorder;
  EXPECT_EQ(recorder.statistics(at(5)), QueryStatistics{});
  recorder.add(timing(100, 3), at(10));
  recorder.add(timing(300, 5), at(12));
  const QueryStatistics found = recorder.statistics(at(14.6));
  EXPECT_EQ(found.queries, 2U);
  EXPECT_EQ(found.rows, 8U);
  EXPECT_NEAR(found.seconds, 2.4, 1e-9);
  EXPECT_NEAR(found.queries_per_second, 2 / 5.0, 1e-9) << "since 9.6";
  EXPECT_NEAR(found.rows_per_second, 8 / 5.0, 1e-9);
  EXPECT_NEAR(found.queue.mean, 0.2, 1e-9);
  EXPECT_NEAR(found.compute.mean, 0.4, 1e-9);
  EXPECT_NEAR(found.total.mean, 0.8, 1e-9);
  EXPECT_NEAR(found.total.p50, 0.4, 0.008);
  EXPECT_NEAR(found.total.p99, 1.2, 0.024);
}

TEST(JobRecorders, KeepWhatAJobWasAtItsEnd) {
  JobRecorders jobs;
  EXPECT_FALSE(jobs.statistics("j", at(1)));
  jobs.add("j", timing(10), at(1));
  EXPECT_GT(jobs.statistics("j", at(1))->queries_per_second, 0);
  const QueryStatistics last = jobs.end("j", at(1.5));
  EXPECT_EQ(last.queries, 1U);
  EXPECT_EQ(last.queries_per_second, 0) << "nothing goes on";
  EXPECT_EQ(jobs.statistics("j", at(99)), last);
  JobRecorders later;
  later.restore("j", last);
  EXPECT_EQ(later.statistics("j", at(3)), last);
  later.forget("j");
  EXPECT_FALSE(later.statistics("j", at(3)));
  EXPECT_EQ(jobs.end("idle", at(2)).queries, 0U);
}

TEST(ModelRecorders, TellRequestsFromBatchesAndVersionsFromEachOther) {
  ModelRecorders models;
  models.add_request("m", 1, timing(1), at(1));
  models.add_request("m", 2, timing(1), at(1));
  models.add_request("m", 2, timing(1), at(1));
  models.add_batch("m", 2, timing(1, 100), at(1));
  const ModelStatistics two = models.statistics("m", 2, at(1));
  EXPECT_EQ(two.requests.queries, 2U);
  EXPECT_EQ(two.batches.queries, 1U);
  EXPECT_EQ(two.batches.rows, 100U);
  models.forget("m", 2);
  EXPECT_EQ(models.statistics("m", 2, at(1)).requests.queries, 0U);
  EXPECT_EQ(models.statistics("m", 1, at(1)).requests.queries, 1U);
  models.forget("m");
  EXPECT_EQ(models.statistics("m", 1, at(1)).requests.queries, 0U);
}

TEST(ModelRecorders, LetGoOfTheVersionThatWasUsedLongestAgo) {
  ModelRecorders models;
  for (std::uint32_t version = 1; version <= 257; ++version) {
    models.add_request("m", version, timing(1), at(version));
    models.add_request("m", 1, timing(1), at(version));
  }
  EXPECT_EQ(models.statistics("m", 1, at(300)).requests.queries, 258U);
  EXPECT_EQ(models.statistics("m", 2, at(300)).requests.queries, 0U);
  EXPECT_EQ(models.statistics("m", 257, at(300)).requests.queries, 1U);
}

TEST(ModelRecorders, LoseNothingOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  ModelRecorders models;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&models, thread] {
      for (int n = 0; n < kEach; ++n) {
        models.add_request("m", 1, timing(1 + thread), std::chrono::steady_clock::now());
        if (n % 500 == 0) {
          static_cast<void>(models.statistics("m", 1, std::chrono::steady_clock::now()));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const QueryStatistics found =
      models.statistics("m", 1, std::chrono::steady_clock::now()).requests;
  EXPECT_EQ(found.queries, static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_NEAR(found.queue.mean, 0.0025, 1e-9);
}

}  // namespace
}  // namespace gradmill::coordinator
