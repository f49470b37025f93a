#include "coordinator/service/statistics/duration_sketch.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

using std::chrono::nanoseconds;

constexpr double kWidth = 0.02;

double seconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

/// The quantile by definition: the least sample that so many are not above.
double exact(const std::vector<std::int64_t>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return seconds(sorted[std::max<std::size_t>(rank, 1) - 1]);
}

void expect_close(double found, double wanted, const std::string& what) {
  EXPECT_NEAR(found, wanted, kWidth * wanted) << what;
}

TEST(DurationSketch, IsAsExactAsItSaysOnKnownDistributions) {
  using Draw = std::function<double(std::mt19937_64&)>;
  const std::vector<std::pair<std::string, Draw>> distributions = {
      {"uniform", std::uniform_real_distribution<double>(1e3, 1e9)},
      {"exponential", std::exponential_distribution<double>(1e-6)},
      {"lognormal", std::lognormal_distribution<double>(15, 2)},
      {"two peaks", [](std::mt19937_64& random) { return random() % 10 == 0 ? 5e9 : 2e4; }},
      {"all alike", [](std::mt19937_64&) { return 123'456.0; }}};
  for (const auto& [name, draw] : distributions) {
    for (const std::size_t count : {1UL, 2UL, 3UL, 10UL, 100UL, 101UL, 100'000UL}) {
      std::mt19937_64 random(count);
      DurationSketch sketch;
      std::vector<std::int64_t> all;
      double sum = 0;
      for (std::size_t n = 0; n < count; ++n) {
        all.push_back(static_cast<std::int64_t>(draw(random)));
        sketch.add(nanoseconds(all.back()));
        sum += seconds(all.back());
      }
      std::sort(all.begin(), all.end());
      const DurationStatistics found = sketch.statistics();
      const std::string what = name + ", " + std::to_string(count);
      expect_close(found.p50, exact(all, 0.5), what + ", p50");
      expect_close(found.p90, exact(all, 0.9), what + ", p90");
      expect_close(found.p95, exact(all, 0.95), what + ", p95");
      expect_close(found.p99, exact(all, 0.99), what + ", p99");
      const double mean = sum / static_cast<double>(count);
      double squares = 0;
      for (const std::int64_t one : all) {
        squares += (seconds(one) - mean) * (seconds(one) - mean);
      }
      const double sd = count == 1 ? 0 : std::sqrt(squares / static_cast<double>(count - 1));
      EXPECT_NEAR(found.mean, mean, 1e-9 * mean) << what;
      EXPECT_NEAR(found.sd, sd, 1e-6 * mean) << what;
    }
  }
}

TEST(DurationSketch, IsZeroWhileItIsEmpty) {
  EXPECT_EQ(DurationSketch().statistics(), DurationStatistics{});
}

TEST(DurationSketch, OfOneKnowsJustThat) {
  DurationSketch sketch;
  sketch.add(nanoseconds(1'234'567));
  const DurationStatistics found = sketch.statistics();
  for (const double one : {found.mean, found.p50, found.p90, found.p95, found.p99}) {
    EXPECT_DOUBLE_EQ(one, 1'234'567e-9);
  }
  EXPECT_EQ(found.sd, 0);
}

TEST(DurationSketch, TakesWhatIsOutsideOfItsCells) {
  DurationSketch sketch;
  sketch.add(nanoseconds(0));
  sketch.add(nanoseconds(-5));
  sketch.add(nanoseconds::max());
  const DurationStatistics found = sketch.statistics();
  EXPECT_EQ(found.p50, 0);
  EXPECT_DOUBLE_EQ(found.p99, seconds(nanoseconds::max().count()));
  EXPECT_TRUE(std::isfinite(found.sd));
}

TEST(DurationSketch, KeepsTheOrderOfQuantilesWhateverItSaw) {
  std::mt19937_64 random(1);
  DurationSketch sketch;
  for (int n = 0; n < 10'000; ++n) {
    sketch.add(nanoseconds(static_cast<std::int64_t>(random() >> (random() % 64))));
    const DurationStatistics found = sketch.statistics();
    ASSERT_LE(0, found.p50);
    ASSERT_LE(found.p50, found.p90);
    ASSERT_LE(found.p90, found.p95);
    ASSERT_LE(found.p95, found.p99);
  }
}

}  // namespace
}  // namespace gradmill::coordinator
