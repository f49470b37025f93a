#include "ml/parallel.h"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace gradmill::ml {
namespace {

TEST(ParallelFor, CallsEachIndexOnce) {
  for (const std::size_t count : {0U, 1U, 2U, 7U, 64U}) {
    for (const int threads : {-1, 0, 1, 2, 3, 8}) {
      std::vector<std::atomic<int>> calls(count);
      parallel_for(count, threads, [&](std::size_t i, int /*worker*/) { ++calls[i]; });
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(calls[i], 1) << "index " << i << " of " << count << ", " << threads << " threads";
      }
    }
  }
}

TEST(ParallelFor, GivesAnIndexToTheSameWorkerEachTime) {
  std::vector<int> workers(10, -1);
  parallel_for(workers.size(), 3, [&](std::size_t i, int worker) { workers[i] = worker; });
  EXPECT_EQ(workers, (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0}));
}

std::ptrdiff_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST(ParallelFor, NeedsNoMoreThreadsThanWereStarted) {
  start_workers(4);
  const std::ptrdiff_t started = threads_of_this_process();
  for (const std::size_t count : {64U, 1U, 3U, 64U}) {
    parallel_for(count, 4, [](std::size_t, int) {});
    EXPECT_LE(threads_of_this_process(), started);
  }
}

TEST(ParallelFor, RunsNoTwoCallsOfAWorkerAtOnce) {
  constexpr int kThreads = 4;
  std::vector<std::atomic<int>> running(kThreads);
  std::atomic<int> overlaps = 0;
  parallel_for(2000, kThreads, [&](std::size_t /*i*/, int worker) {
    auto& calls = running[static_cast<std::size_t>(worker)];
    overlaps += calls.fetch_add(1);
    calls.fetch_sub(1);
  });
  EXPECT_EQ(overlaps, 0);
}

#ifdef __SSE2__

// The compiler must not reckon with them itself.
double halved(double value) {
  const volatile double half = 0.5;
  const volatile double number = value;
  return number * half;
}

TEST(ParallelFor, TakesSubnormalNumbersForZeroOnEveryWorker) {
  constexpr double kLeast = std::numeric_limits<double>::min();
  for (const int threads : {1, 3}) {
    std::vector<double> values(9, 1);
    parallel_for(
        values.size(), threads, [&](std::size_t i, int /*worker*/) { values[i] = halved(kLeast); });
    EXPECT_EQ(values, std::vector<double>(9, 0));
  }
}

TEST(FlushSubnormals, EndsWithItsScope) {
  constexpr double kLeast = std::numeric_limits<double>::min();
  EXPECT_GT(halved(kLeast), 0);
  {
    const FlushSubnormals outer;
    {
      const FlushSubnormals inner;
      EXPECT_EQ(halved(kLeast), 0);
    }
    EXPECT_EQ(halved(kLeast), 0);
    EXPECT_EQ(2 * halved(std::numeric_limits<double>::denorm_min()), 0);
  }
  EXPECT_GT(halved(kLeast), 0);
}

#endif

TEST(ParallelFor, ThrowsWhatAWorkerThrows) {
  for (const int threads : {1, 3}) {
    EXPECT_THROW(parallel_for(9,
                              threads,
                              [](std::size_t i, int /*worker*/) {
                                if (i == 4) {
                                  throw std::bad_alloc();
                                }
                              }),
                 std::bad_alloc);
  }
}

}  // namespace
}  // namespace gradmill::ml
