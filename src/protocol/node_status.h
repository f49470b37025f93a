// How a node stands, as the coordinator tells it and the client shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace gradmill {

/// States of a node, as users see them in lower case.
enum class NodeState { kAlive, kSuspect, kFailed, kLeft };

/// Who told the coordinator of a node: its node list, the node itself, or a client.
enum class NodeSource { kListed, kJoined, kAdded };

[[nodiscard]] std::string_view name_of(NodeState state);
[[nodiscard]] std::string_view name_of(NodeSource source);

/// A task that a node has.
struct NodeTask {
  std::string job;
  bool predicts = false;    ///< The job is a prediction job.
  std::uint32_t round = 0;  ///< From 1.
  std::uint32_t shard = 0;  ///< Of the round, from 0; of a prediction job the batch.
  bool begun = false;       ///< The node has said so; else it was offered the task.
  std::chrono::milliseconds offered_ago{0};

  friend bool operator==(const NodeTask&, const NodeTask&) = default;
};

/// Counts since the coordinator's start.
struct NodeStatus {
  Address address;
  NodeState state = NodeState::kFailed;
  NodeSource source = NodeSource::kListed;
  std::string trouble;  ///< Why it takes no tasks, if so, for people.
  std::string incarnation;
  std::uint32_t slots = 1;
  std::uint32_t running = 0;                             ///< Offers out.
  std::optional<std::chrono::milliseconds> heard_ago{};  ///< Absent: never heard of.
  std::chrono::milliseconds uptime{0};                   ///< Of its process.
  std::uint64_t tasks = 0;                               ///< Results that counted.
  std::uint64_t refused = 0;                             ///< Offers refused by simulated load.
  std::uint64_t failed = 0;  ///< Offers that ended in a fault of the node.
  std::uint64_t copies = 0;  ///< Offers that doubled those of a straggler.
  std::uint64_t heartbeats_missed = 0;
  std::uint64_t false_suspicions = 0;  ///< Suspect or failed, and the same process came back.
  std::uint64_t bytes_sent = 0;        ///< To the node.
  std::uint64_t bytes_received = 0;    ///< From the node.
  std::int64_t member_since_ms = 0;    ///< Since 1970; at the earliest the coordinator's start.
  /// Its last answer to a query: a result that counted, or predictions. Absent: none.
  std::optional<std::chrono::milliseconds> answered_ago{};
  std::vector<NodeTask> doing{};  ///< What it has now.
};

/// What a node that announced itself is told.
struct JoinAnswer {
  bool accepted = false;
  std::string message;      ///< Why not, for people.
  std::string coordinator;  ///< Whose heartbeats will come.
};

}  // namespace gradmill
