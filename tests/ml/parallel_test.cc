#include "ml/parallel.h"

#include <atomic>
#include <cstddef>
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

}  // namespace
}  // namespace gradmill::ml
