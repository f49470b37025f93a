#include "wire/node_convert.h"

#include <optional>

#include "base/number.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr std::size_t kNameMax = 64;

constexpr EnumTable<gradmill::NodeState, NodeState::type, 4> kStates = {{
    {gradmill::NodeState::kAlive, NodeState::ALIVE},
    {gradmill::NodeState::kSuspect, NodeState::SUSPECT},
    {gradmill::NodeState::kFailed, NodeState::FAILED},
    {gradmill::NodeState::kLeft, NodeState::LEFT},
}};

constexpr EnumTable<gradmill::NodeSource, NodeSource::type, 3> kSources = {{
    {gradmill::NodeSource::kListed, NodeSource::LISTED},
    {gradmill::NodeSource::kJoined, NodeSource::JOINED},
    {gradmill::NodeSource::kAdded, NodeSource::ADDED},
}};

std::uint64_t count_from(std::int64_t value, const char* field) {
  return unsigned_from<std::uint64_t>(value, field);
}

/// Of Address::text().
Address address_of(const std::string& node) {
  const std::size_t colon = node.rfind(':');
  const std::optional<std::int32_t> port =
      colon == std::string::npos
          ? std::nullopt
          : parse_integer<std::int32_t>(std::string_view(node).substr(colon + 1));
  if (!port) {
    throw invalid_input("a node's address is not HOST:PORT");
  }
  return address_from(std::string(without_brackets(node.substr(0, colon))), *port);
}

NodeTask task_to_wire(const gradmill::NodeTask& task) {
  NodeTask to;
  to.job_id = task.job;
  to.predicts = task.predicts;
  to.round = static_cast<std::int32_t>(task.round);
  to.shard = static_cast<std::int32_t>(task.shard);
  to.begun = task.begun;
  to.offered_ms_ago = task.offered_ago.count();
  return to;
}

gradmill::NodeTask node_task_from(const NodeTask& task) {
  return {.job = task.job_id,
          .predicts = task.predicts,
          .round = unsigned_from<std::uint32_t>(task.round, "the round of the node's task"),
          .shard = unsigned_from<std::uint32_t>(task.shard, "the shard of the node's task"),
          .begun = task.begun,
          .offered_ago = milliseconds_from(task.offered_ms_ago, "the time since the offer")};
}

}  // namespace

NodeStatus to_wire(const gradmill::NodeStatus& node) {
  NodeStatus to;
  to.node = node.address.text();
  to.state = to_wire(node.state, kStates);
  to.source = to_wire(node.source, kSources);
  to.trouble = node.trouble;
  to.incarnation = node.incarnation;
  to.slots = static_cast<std::int32_t>(node.slots);
  to.running = static_cast<std::int32_t>(node.running);
  to.heard_ms_ago = node.heard_ago ? node.heard_ago->count() : -1;
  to.uptime_ms = node.uptime.count();
  to.tasks = static_cast<std::int64_t>(node.tasks);
  to.refused = static_cast<std::int64_t>(node.refused);
  to.failed = static_cast<std::int64_t>(node.failed);
  to.copies = static_cast<std::int64_t>(node.copies);
  to.heartbeats_missed = static_cast<std::int64_t>(node.heartbeats_missed);
  to.false_suspicions = static_cast<std::int64_t>(node.false_suspicions);
  to.bytes_sent = static_cast<std::int64_t>(node.bytes_sent);
  to.bytes_received = static_cast<std::int64_t>(node.bytes_received);
  to.member_since_ms = node.member_since_ms;
  to.answered_ms_ago = node.answered_ago ? node.answered_ago->count() : -1;
  for (const gradmill::NodeTask& task : node.doing) {
    to.doing.push_back(task_to_wire(task));
  }
  return to;
}

gradmill::NodeStatus node_status_from(const NodeStatus& node) {
  gradmill::NodeStatus to;
  to.address = address_of(node.node);
  to.state = enum_from(node.state, kStates, "the state of the node");
  to.source = enum_from(node.source, kSources, "the source of the node");
  to.trouble = node.trouble;
  to.incarnation = node.incarnation;
  to.slots = unsigned_from<std::uint32_t>(node.slots, "the node's slots");
  to.running = unsigned_from<std::uint32_t>(node.running, "the node's running tasks");
  if (node.heard_ms_ago != -1) {
    to.heard_ago = milliseconds_from(node.heard_ms_ago, "the time since the node was heard");
  }
  to.uptime = milliseconds_from(node.uptime_ms, "the node's uptime");
  to.tasks = count_from(node.tasks, "the node's tasks");
  to.refused = count_from(node.refused, "the node's refusals");
  to.failed = count_from(node.failed, "the node's failures");
  to.copies = count_from(node.copies, "the node's copies");
  to.heartbeats_missed = count_from(node.heartbeats_missed, "the node's missed heartbeats");
  to.false_suspicions = count_from(node.false_suspicions, "the node's false suspicions");
  to.bytes_sent = count_from(node.bytes_sent, "the bytes to the node");
  to.bytes_received = count_from(node.bytes_received, "the bytes from the node");
  to.member_since_ms = time_from(node.member_since_ms, "when the node became a member");
  if (node.answered_ms_ago != -1) {
    to.answered_ago = milliseconds_from(node.answered_ms_ago, "the time since the node's answer");
  }
  for (const NodeTask& task : node.doing) {
    to.doing.push_back(node_task_from(task));
  }
  return to;
}

JoinResponse to_wire(const gradmill::JoinAnswer& answer) {
  JoinResponse to;
  to.accepted = answer.accepted;
  to.message = answer.message;
  to.coordinator_id = answer.coordinator;
  return to;
}

gradmill::JoinAnswer join_answer_from(const JoinResponse& response) {
  if (response.coordinator_id.size() > kNameMax ||
      (response.accepted && response.coordinator_id.empty())) {
    throw invalid_input("the coordinator's id is missing or too long");
  }
  return {.accepted = response.accepted,
          .message = response.message,
          .coordinator = response.coordinator_id};
}

std::string incarnation_from(const std::string& incarnation) {
  if (incarnation.empty() || incarnation.size() > kNameMax) {
    throw invalid_input("the node's incarnation is missing or too long");
  }
  return incarnation;
}

}  // namespace gradmill::wire
