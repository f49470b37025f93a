#include "chaos/plan.h"

#include <algorithm>
#include <array>
#include <set>

#include <gtest/gtest.h>

namespace gradmill::chaos {
namespace {

using std::chrono::minutes;

TEST(ChaosPlan, IsTheSameForTheSameSeed) {
  const Plan a = make_plan(7, minutes(2));
  const Plan b = make_plan(7, minutes(2));
  EXPECT_EQ(a.strikes, b.strikes);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_NE(a.steps, make_plan(8, minutes(2)).steps);
}

TEST(ChaosPlan, OfLessTimeIsABeginningOfTheLongerOne) {
  const Plan shorter = make_plan(7, minutes(2));
  const Plan longer = make_plan(7, minutes(4));
  ASSERT_LT(shorter.strikes.size(), longer.strikes.size());
  EXPECT_TRUE(std::equal(shorter.strikes.begin(), shorter.strikes.end(), longer.strikes.begin()));
}

TEST(ChaosPlan, HasEachFaultHoweverShortItIs) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::set<Fault> seen;
    for (const Strike& strike : make_plan(seed, milliseconds(1)).strikes) {
      seen.insert(strike.fault);
    }
    EXPECT_EQ(seen.size(), kFaults) << "seed " << seed;
  }
}

TEST(ChaosPlan, FillsItsTimeAndEndsWhatItBegins) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Plan plan = make_plan(seed, minutes(3));
    EXPECT_GE(plan.strikes.back().begins, minutes(3) - std::chrono::seconds(15));
    // Which strike each place has now.
    std::array<std::size_t, kPlaces> struck_by{};
    struck_by.fill(plan.strikes.size());
    milliseconds before{};
    for (const Step& step : plan.steps) {
      std::size_t& now = struck_by[static_cast<std::size_t>(step.place)];
      EXPECT_GE(step.at, before);
      before = step.at;
      EXPECT_EQ(now, step.act == Act::kBegin ? plan.strikes.size() : step.strike)
          << "seed " << seed << ": two strikes at a time on " << name_of(step.place);
      now = step.act == Act::kBegin ? step.strike : plan.strikes.size();
    }
    EXPECT_EQ(std::count(struck_by.begin(), struck_by.end(), plan.strikes.size()),
              static_cast<std::ptrdiff_t>(kPlaces));
  }
}

TEST(ChaosPlan, NeverKillsTheSparedNode) {
  const Plan plan = make_plan(3, minutes(30));
  for (const Strike& strike : plan.strikes) {
    const bool kills = strike.fault == Fault::kKillNode || strike.fault == Fault::kRestartNode ||
                       strike.fault == Fault::kPowerCut;
    EXPECT_FALSE(kills &&
                 std::count(strike.places.begin(), strike.places.end(), Place::kSparedNode));
  }
}

}  // namespace
}  // namespace gradmill::chaos
