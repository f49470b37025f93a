#include "wire/log_convert.h"

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

gradmill::JobLog log() {
  gradmill::JobLog all;
  all.events.resize(2);
  all.events[0].sequence = 1;
  all.events[0].time_ms = 5;
  all.events[0].event = "submitted";
  all.events[1] = {.sequence = 3,
                   .time_ms = 7,
                   .warning = true,
                   .event = "task_failed",
                   .round = 2,
                   .shard = 0,
                   .attempt = 9,
                   .node = "h:1",
                   .reason = "connection_lost",
                   .message = "m"};
  all.ended = true;
  return all;
}

TEST(LogConvert, EventsComeBackAsTheyWere) {
  const JobLogsResponse sent = to_wire(log());
  EXPECT_EQ(sent.events[0].level, "info");
  EXPECT_EQ(sent.events[0].round, -1);
  EXPECT_EQ(sent.events[0].attempt, -1);
  const gradmill::JobLog got = log_from(sent);
  EXPECT_TRUE(got.ended);
  ASSERT_EQ(got.events.size(), 2U);
  EXPECT_FALSE(got.events[0].warning);
  EXPECT_EQ(got.events[0].event, "submitted");
  EXPECT_FALSE(got.events[0].round || got.events[0].shard || got.events[0].attempt);
  const gradmill::JobEvent& event = got.events[1];
  EXPECT_EQ(event.sequence, 3U);
  EXPECT_EQ(event.time_ms, 7);
  EXPECT_TRUE(event.warning);
  EXPECT_EQ(event.round, 2U);
  EXPECT_EQ(event.shard, 0U);
  EXPECT_EQ(event.attempt, 9U);
  EXPECT_EQ(event.node, "h:1");
  EXPECT_EQ(event.reason, "connection_lost");
  EXPECT_EQ(event.message, "m");
}

TEST(LogConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<JobLogsResponse> wrongs = {
      {"an event's sequence", [](auto& log) { log.events[0].sequence = -1; }},
      {"an event's sequence", [](auto& log) { log.events[0].sequence = 0; }},
      {"sequence does not rise", [](auto& log) { log.events[1].sequence = 1; }},
      {"an event's time", [](auto& log) { log.events[0].time_ms = -1; }},
      {"the level", [](auto& log) { log.events[0].level = "shout"; }},
      {"an event's round", [](auto& log) { log.events[0].round = -2; }},
      {"an event's shard", [](auto& log) { log.events[0].shard = -2; }},
      {"an event's attempt", [](auto& log) { log.events[0].attempt = -2; }},
  };
  expect_refusals(to_wire(log()), wrongs, log_from);
}

}  // namespace
}  // namespace gradmill::wire
