#include "chaos/measures.h"

#include <gtest/gtest.h>

namespace gradmill::chaos {
namespace {

MadeStrike strike_on(std::vector<Place> places, std::vector<std::string> nodes) {
  return {.fault = Fault::kStopNode,
          .places = std::move(places),
          .nodes = std::move(nodes),
          .began = 10,
          .ended = 14,
          .took_place = true};
}

TEST(ChaosMeasures, ReadTheLog) {
  const auto entry = parse_log_line(
      R"({"time":"1970-01-01T00:01:40.250Z","event":"node_failed","node":"a:1","message":""})", 90);
  ASSERT_TRUE(entry);
  EXPECT_DOUBLE_EQ(entry->at, 10.25);
  EXPECT_EQ(entry->event, "node_failed");
  EXPECT_EQ(entry->node, "a:1");
  EXPECT_FALSE(parse_log_line("a line for people", 0));
  EXPECT_FALSE(parse_log_line(R"({"time":"now"})", 0));
  EXPECT_FALSE(parse_log_line("", 0));
}

TEST(ChaosMeasures, DetectionIsTheFirstTroubleOfThatNode) {
  const std::vector<LogEntry> log = {{9, "node_suspect", "a:1", ""},
                                     {10.5, "node_failed", "b:1", ""},
                                     {10.6, "node_alive", "a:1", ""},
                                     {11, "node_suspect", "a:1", ""},
                                     {12, "node_failed", "a:1", ""}};
  const auto seen = detection(strike_on({Place::kDirectNode}, {"a:1"}), log);
  ASSERT_TRUE(seen);
  EXPECT_DOUBLE_EQ(*seen, 1);
  EXPECT_FALSE(detection(strike_on({Place::kDirectNode}, {"c:1"}), log));
  EXPECT_FALSE(detection(strike_on({Place::kClient}, {}), log));
}

TEST(ChaosMeasures, ANodeHasRecoveredWithItsNextResult) {
  const std::vector<ResultCount> results = {
      {13, "a:1", 7}, {14.5, "a:1", 9}, {15, "a:1", 9}, {15, "b:1", 3}, {15.5, "a:1", 10}};
  const auto again = recovery(strike_on({Place::kDirectNode}, {"a:1"}), {}, results);
  ASSERT_TRUE(again);
  EXPECT_DOUBLE_EQ(*again, 1.5);
  EXPECT_FALSE(
      recovery(strike_on({Place::kDirectNode, Place::kProxiedNode}, {"a:1", "b:1"}), {}, results));
}

TEST(ChaosMeasures, TheCoordinatorHasRecoveredWithItsNextRound) {
  const std::vector<LogEntry> log = {{13, "round_finished", "", "x"},
                                     {14.2, "listening", "", ""},
                                     {15, "round_finished", "", "x"}};
  const auto again = recovery(strike_on({Place::kCoordinator}, {}), log, {});
  ASSERT_TRUE(again);
  EXPECT_DOUBLE_EQ(*again, 1);
}

TEST(ChaosMeasures, MemorySlopeIsThatWithinLives) {
  // Two processes that grow by 1 MiB a minute; the second one starts much smaller.
  std::vector<ResourceSample> samples;
  for (int life = 0; life < 2; ++life) {
    for (int second = 0; second <= 100; ++second) {
      const double grown = 1024 * 1024 * (second / 60.0 + (life == 0 ? 100 : 10));
      samples.push_back({.at = life * 200.0 + second,
                         .place = Place::kCoordinator,
                         .pid = life,
                         .memory_bytes = static_cast<std::uint64_t>(second < 10 ? 0 : grown)});
    }
  }
  const SlopeRule rule{.warm_up = 10, .span_min = 180};
  const auto slope = memory_slope(samples, Place::kCoordinator, rule);
  ASSERT_TRUE(slope);
  EXPECT_NEAR(*slope, 1, 0.01);
  EXPECT_FALSE(memory_slope(samples, Place::kDirectNode, rule));
  EXPECT_FALSE(memory_slope(samples, Place::kCoordinator, {.warm_up = 10, .span_min = 181}));
  EXPECT_NEAR(static_cast<double>(memory_maximum(samples, Place::kCoordinator)) / (1 << 20),
              100 + 100 / 60.0,
              0.01);
  EXPECT_EQ(memory_maximum(samples, Place::kDirectNode), 0U);
}

TEST(ChaosMeasures, Spread) {
  EXPECT_DOUBLE_EQ(spread_of({3, 1, 2}).median, 2);
  EXPECT_DOUBLE_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
  EXPECT_DOUBLE_EQ(spread_of({4, 1, 2, 3}).maximum, 4);
  EXPECT_EQ(spread_of({}).count, 0U);
}

}  // namespace
}  // namespace gradmill::chaos
