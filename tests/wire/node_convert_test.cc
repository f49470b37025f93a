#include "wire/node_convert.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "wire/refusals.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

using std::chrono::milliseconds;

gradmill::NodeStatus node() {
  gradmill::NodeStatus one;
  one.address = {"10.0.0.1", 65'535};
  one.state = gradmill::NodeState::kSuspect;
  one.source = gradmill::NodeSource::kAdded;
  one.trouble = "t";
  one.incarnation = "i";
  one.slots = 2;
  one.running = 3;
  one.heard_ago = milliseconds(5);
  one.uptime = milliseconds(7);
  one.tasks = 11;
  one.refused = 13;
  one.failed = 17;
  one.copies = 19;
  one.heartbeats_missed = 23;
  one.false_suspicions = 29;
  one.bytes_sent = 31;
  one.bytes_received = 37;
  one.member_since_ms = 41;
  one.answered_ago = milliseconds(43);
  one.doing = {{.job = "j",
                .predicts = true,
                .round = 47,
                .shard = 53,
                .begun = true,
                .offered_ago = milliseconds(59)}};
  return one;
}

TEST(NodeConvert, NodesComeBackAsTheyWere) {
  const gradmill::NodeStatus got = node_status_from(to_wire(node()));
  EXPECT_EQ(got.address, node().address);
  EXPECT_EQ(got.state, gradmill::NodeState::kSuspect);
  EXPECT_EQ(got.source, gradmill::NodeSource::kAdded);
  EXPECT_EQ(got.trouble, "t");
  EXPECT_EQ(got.incarnation, "i");
  EXPECT_EQ(got.slots, 2U);
  EXPECT_EQ(got.running, 3U);
  EXPECT_EQ(got.heard_ago, milliseconds(5));
  EXPECT_EQ(got.uptime, milliseconds(7));
  EXPECT_EQ(got.tasks, 11U);
  EXPECT_EQ(got.refused, 13U);
  EXPECT_EQ(got.failed, 17U);
  EXPECT_EQ(got.copies, 19U);
  EXPECT_EQ(got.heartbeats_missed, 23U);
  EXPECT_EQ(got.false_suspicions, 29U);
  EXPECT_EQ(got.bytes_sent, 31U);
  EXPECT_EQ(got.bytes_received, 37U);
  EXPECT_EQ(got.member_since_ms, 41);
  EXPECT_EQ(got.answered_ago, milliseconds(43));
  EXPECT_EQ(got.doing, node().doing);

  gradmill::NodeStatus six = node();
  six.address = {"::1", 9000};
  EXPECT_EQ(to_wire(six).node, "[::1]:9000");
  EXPECT_EQ(node_status_from(to_wire(six)).address, six.address);
}

TEST(NodeConvert, EveryStateAndSourceComesBackAsItWas) {
  gradmill::NodeStatus one = node();
  one.heard_ago.reset();
  one.answered_ago.reset();
  for (const auto state : {gradmill::NodeState::kAlive,
                           gradmill::NodeState::kSuspect,
                           gradmill::NodeState::kFailed,
                           gradmill::NodeState::kLeft}) {
    one.state = state;
    EXPECT_EQ(node_status_from(to_wire(one)).state, state);
  }
  for (const auto source : {gradmill::NodeSource::kListed,
                            gradmill::NodeSource::kJoined,
                            gradmill::NodeSource::kAdded}) {
    one.source = source;
    EXPECT_EQ(node_status_from(to_wire(one)).source, source);
  }
  EXPECT_EQ(to_wire(one).heard_ms_ago, -1);
  EXPECT_FALSE(node_status_from(to_wire(one)).heard_ago.has_value());
  EXPECT_EQ(to_wire(one).answered_ms_ago, -1);
  EXPECT_FALSE(node_status_from(to_wire(one)).answered_ago.has_value());
}

TEST(NodeConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<NodeStatus> wrongs = {
      {"a node's address", [](auto& one) { one.node = "host"; }},
      {"a node's address", [](auto& one) { one.node = "host:x"; }},
      {"the node's host", [](auto& one) { one.node = ":1"; }},
      {"the node's port", [](auto& one) { one.node = "host:0"; }},
      {"the node's port", [](auto& one) { one.node = "host:65536"; }},
      {"the state of the node", [](auto& one) { one.state = NodeState::UNKNOWN; }},
      {"the state of the node", [](auto& one) { one.state = static_cast<NodeState::type>(5); }},
      {"the source of the node", [](auto& one) { one.source = NodeSource::UNKNOWN; }},
      {"the node's slots", [](auto& one) { one.slots = -1; }},
      {"the node's running tasks", [](auto& one) { one.running = -1; }},
      {"the time since", [](auto& one) { one.heard_ms_ago = -2; }},
      {"the node's uptime", [](auto& one) { one.uptime_ms = -1; }},
      {"the node's uptime",
       [](auto& one) { one.uptime_ms = std::numeric_limits<std::int64_t>::max(); }},
      {"the node's tasks", [](auto& one) { one.tasks = -1; }},
      {"the node's refusals", [](auto& one) { one.refused = -1; }},
      {"the node's failures", [](auto& one) { one.failed = -1; }},
      {"the node's copies", [](auto& one) { one.copies = -1; }},
      {"the node's missed heartbeats", [](auto& one) { one.heartbeats_missed = -1; }},
      {"the node's false suspicions", [](auto& one) { one.false_suspicions = -1; }},
      {"the bytes to the node", [](auto& one) { one.bytes_sent = -1; }},
      {"the bytes from the node", [](auto& one) { one.bytes_received = -1; }},
      {"when the node became a member", [](auto& one) { one.member_since_ms = -1; }},
      {"the time since the node's answer", [](auto& one) { one.answered_ms_ago = -2; }},
      {"the round of the node's task", [](auto& one) { one.doing.front().round = -1; }},
      {"the shard of the node's task", [](auto& one) { one.doing.front().shard = -1; }},
      {"the time since the offer", [](auto& one) { one.doing.front().offered_ms_ago = -1; }},
  };
  expect_refusals(to_wire(node()), wrongs, node_status_from);
}

TEST(NodeConvert, AnswersToAJoinComeBackAsTheyWere) {
  const JoinResponse sent = to_wire({.accepted = true, .message = "m", .coordinator = "c"});
  const gradmill::JoinAnswer got = join_answer_from(sent);
  EXPECT_TRUE(got.accepted);
  EXPECT_EQ(got.message, "m");
  EXPECT_EQ(got.coordinator, "c");
  const Wrongs<JoinResponse> wrongs = {
      {"the coordinator's id", [](auto& answer) { answer.coordinator_id.clear(); }},
      {"the coordinator's id", [](auto& answer) { answer.coordinator_id.assign(65, 'c'); }}};
  expect_refusals(sent, wrongs, join_answer_from);
  EXPECT_FALSE(join_answer_from({}).accepted);
}

TEST(NodeConvert, WhoJoinsHasAnAddressAndAnIncarnation) {
  EXPECT_EQ(address_from("h", 1), (Address{"h", 1}));
  for (const std::string& host :
       {std::string(), std::string("a b"), std::string("a\n"), std::string(254, 'h')}) {
    EXPECT_THROW(static_cast<void>(address_from(host, 1)), Error) << host;
  }
  for (const std::int32_t port : {-1, 0, 65'536}) {
    EXPECT_THROW(static_cast<void>(address_from("h", port)), Error) << port;
  }
  EXPECT_EQ(incarnation_from("i"), "i");
  EXPECT_THROW(static_cast<void>(incarnation_from("")), Error);
  EXPECT_THROW(static_cast<void>(incarnation_from(std::string(65, 'i'))), Error);
}

}  // namespace
}  // namespace gradmill::wire
