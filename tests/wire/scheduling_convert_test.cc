#include "wire/scheduling_convert.h"

#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

gradmill::JobExplanation explanation() {
  gradmill::JobExplanation all;
  all.job = "j";
  all.state = gradmill::JobState::kRunning;
  all.scheduling = gradmill::SchedulingMode::kLocal;
  all.waiting = 4;
  all.predicts = true;
  all.nodes = {{.node = "h:1",
                .offers = 1,
                .queued = 2,
                .tasks = 3,
                .recent_share = 0.25,
                .reason = "",
                .message = "has 1 batch at work"},
               {.node = "h:2",
                .offers = 0,
                .queued = 0,
                .tasks = 9,
                .recent_share = std::nullopt,
                .reason = "failed",
                .message = "connection refused"}};
  return all;
}

TEST(SchedulingConvert, AnExplanationComesBackAsItWas) {
  const gradmill::JobExplanation got = explanation_from(to_wire(explanation()));
  EXPECT_EQ(got.job, "j");
  EXPECT_EQ(got.state, gradmill::JobState::kRunning);
  EXPECT_EQ(got.scheduling, gradmill::SchedulingMode::kLocal);
  EXPECT_EQ(got.waiting, 4U);
  EXPECT_TRUE(got.predicts);
  ASSERT_EQ(got.nodes.size(), 2U);
  EXPECT_EQ(got.nodes[0].node, "h:1");
  EXPECT_EQ(got.nodes[0].offers, 1U);
  EXPECT_EQ(got.nodes[0].queued, 2U);
  EXPECT_EQ(got.nodes[0].tasks, 3U);
  EXPECT_EQ(got.nodes[0].recent_share, 0.25);
  EXPECT_EQ(got.nodes[0].message, "has 1 batch at work");
  EXPECT_EQ(got.nodes[1].recent_share, std::nullopt);
  EXPECT_EQ(got.nodes[1].reason, "failed");
  EXPECT_EQ(got.nodes[1].message, "connection refused");
}

TEST(SchedulingConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<ExplainJobResponse> wrongs = {
      {"the state", [](auto& all) { all.state = JobState::UNKNOWN; }},
      {"the mode of scheduling", [](auto& all) { all.scheduling = SchedulingMode::UNKNOWN; }},
      {"waiting tasks", [](auto& all) { all.waiting = -1; }},
      {"a number of offers", [](auto& all) { all.nodes[0].offers = -1; }},
      {"a length of a queue", [](auto& all) { all.nodes[0].queued = -1; }},
      {"a number of tasks", [](auto& all) { all.nodes[1].tasks = -1; }},
      {"a share of time", [](auto& all) { all.nodes[0].recent_share = 1.5; }},
      {"a share of time", [](auto& all) { all.nodes[0].recent_share = std::nan(""); }},
  };
  expect_refusals(to_wire(explanation()), wrongs, explanation_from);
}

}  // namespace
}  // namespace gradmill::wire
