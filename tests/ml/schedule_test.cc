#include "ml/schedule.h"

#include <cmath>
#include <cstdint>
#include <numbers>

#include <gtest/gtest.h>

namespace gradmill::ml {
namespace {

double constant(double position) { return schedule_factor(Schedule::kConstant, position); }
double cosine(double position) { return schedule_factor(Schedule::kCosine, position); }
double one_cycle(double position) { return schedule_factor(Schedule::kOneCycle, position); }

TEST(ScheduleFactor, OfConstantIsOne) {
  for (const double position : {0.0, 0.3, 1.0}) {
    EXPECT_EQ(constant(position), 1);
  }
}

TEST(ScheduleFactor, OfCosineFallsFromOneToZero) {
  EXPECT_NEAR(cosine(0), 1, 1e-15);
  EXPECT_EQ(cosine(0.5), 0.5);
  EXPECT_NEAR(cosine(1), 0, 1e-15);
}

TEST(ScheduleFactor, OfCosineIsTheLibrarysHalfCosine) {
  for (int k = 0; k <= 10'000; ++k) {
    const double position = k / 10'000.0;
    ASSERT_NEAR(cosine(position), (1 + std::cos(std::numbers::pi * position)) / 2, 1e-15);
  }
}

TEST(ScheduleFactor, OfCosineNeverRisesOrLeavesZeroToOne) {
  double last = 1;
  for (int k = 0; k <= 10'000; ++k) {
    const double factor = cosine(k / 10'000.0);
    ASSERT_LE(factor, last) << k;
    ASSERT_GE(factor, 0) << k;
    last = factor;
  }
}

TEST(ScheduleFactor, OfOneCycleHasItsThreeCorners) {
  EXPECT_NEAR(one_cycle(0), 1.0 / 25, 1e-15);
  EXPECT_NEAR(one_cycle(0.3), 1, 1e-15);
  EXPECT_NEAR(one_cycle(1), 1e-4 / 25, 1e-15);
}

TEST(ScheduleFactor, OfOneCycleIsTwoHalfCosines) {
  const auto between = [](double from, double to, double x) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * x)) / 2;
  };
  for (int k = 0; k <= 10'000; ++k) {
    const double position = k / 10'000.0;
    const double expected = position < 0.3 ? between(0.04, 1, position / 0.3)
                                           : between(1, 4e-6, (position - 0.3) / 0.7);
    ASSERT_NEAR(one_cycle(position), expected, 1e-15) << position;
  }
}

TEST(ScheduleFactor, OfOneCycleDoesNotJump) {
  EXPECT_NEAR(one_cycle(std::nextafter(0.3, 0)), one_cycle(0.3), 1e-15);
  for (int k = 0; k < 10'000; ++k) {
    // The steepest slope is pi / 2 over 0.3.
    ASSERT_NEAR(one_cycle(k / 10'000.0), one_cycle((k + 1) / 10'000.0), 6e-4);
  }
}

TEST(ScheduleFactor, IsNeverNegative) {
  for (std::uint64_t step = 0; step < 5000; ++step) {
    const double position = schedule_position({50, 50, 0}, step, 5000);
    EXPECT_GE(cosine(position), 0);
    EXPECT_GT(one_cycle(position), 0);
  }
}

TEST(SchedulePosition, GoesOverTheWholeJob) {
  EXPECT_EQ(schedule_position({1, 4, 0}, 0, 8), 0);
  EXPECT_EQ(schedule_position({1, 4, 0}, 4, 8), 0.125);
  EXPECT_EQ(schedule_position({2, 4, 0}, 0, 8), 0.25);
  EXPECT_EQ(schedule_position({4, 4, 0}, 6, 8), 0.9375);
  EXPECT_EQ(schedule_position({1, 1, 0}, 1, 2), 0.5);
}

TEST(SchedulePosition, IsTheSameForEveryShard) {
  EXPECT_EQ(schedule_position({3, 7, 0}, 5, 11), schedule_position({3, 7, 90}, 5, 11));
}

TEST(SchedulePosition, RisesFromStepToStepAndRoundToRoundAndEndsBelowOne) {
  double last = -1;
  for (std::uint32_t round = 1; round <= 30; ++round) {
    for (std::uint64_t step = 0; step < 47; ++step) {
      const double position = schedule_position({round, 30, 0}, step, 47);
      EXPECT_GT(position, last);
      last = position;
    }
  }
  EXPECT_LT(last, 1);
}

}  // namespace
}  // namespace gradmill::ml
