// What the coordinator knows of its nodes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "coordinator/core/policy/policy.h"
#include "protocol/task.h"

namespace gradmill::coordinator {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// What a node did for a job.
struct NodeTally {
  std::uint64_t tasks = 0;    ///< Results that counted.
  std::uint64_t refused = 0;  ///< Offers refused by simulated load.
  std::uint64_t failed = 0;   ///< Offers that ended in a fault of the node.
};

/// One node. `alive` follows the heartbeats; a node that answers but whose tasks fail is set aside
/// for a while, longer with each fault in a row.
struct Node {
  Address address;
  bool alive = false;
  NodeHello hello;
  std::string trouble = "has not answered yet";  ///< Why it is not alive, for people.
  std::string last_fault;                        ///< Since its last good result, for people.
  std::deque<std::uint32_t> queue;               ///< Shards that wait for a slot of it.
  std::set<TaskId> offers;                       ///< Offers out that have not been answered.
  std::uint32_t faults_in_a_row = 0;
  std::uint32_t busy_in_a_row = 0;
  TimePoint aside_until{};      ///< After a fault.
  TimePoint busy_until{};       ///< After it had no room for a task.
  double seconds_per_row = 0;   ///< Moving average over its tasks; 0 while unknown.
  double seconds_per_task = 0;  ///< Likewise.
  TimePoint measured_at{};
  double refusal_share = 0;
};

/// The nodes by id. A single-threaded value: the time comes in as an argument.
class NodeRegistry {
 public:
  /// Adds a node, not alive yet.
  NodeId add(const Address& address);
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& at(NodeId id) const { return nodes_.at(id); }

  /// Whether tasks may be given to the node: it answers, its kernel gives the same bits as ours,
  /// and it is neither set aside nor busy.
  [[nodiscard]] bool usable(NodeId id, TimePoint now) const;
  /// From when on the node, alive, may be given tasks.
  [[nodiscard]] TimePoint usable_from(NodeId id) const;
  [[nodiscard]] NodeView view(NodeId id, TimePoint now) const;
  /// Views of the usable nodes but those in `refused`; without those in `failed` too, unless no
  /// other is left. No idle node is shown as faster than all were measured.
  [[nodiscard]] std::vector<NodeView> views(const std::set<NodeId>& refused,
                                            const std::vector<NodeId>& failed,
                                            TimePoint now) const;
  /// Nodes that answer, also those set aside.
  [[nodiscard]] std::set<NodeId> alive() const;
  /// Whether an offer of a task of `job` has not been answered.
  [[nodiscard]] bool owes(const std::string& job) const;
  /// Each node and why it takes no tasks, for people; `tallies` are those of the job that waits.
  [[nodiscard]] std::string in_words(const std::map<NodeId, NodeTally>& tallies) const;

  void up(NodeId id, const NodeHello& hello);
  void down(NodeId id, const std::string& why);
  /// A task on the node failed by the node's fault: set it aside, 100 ms doubling up to 5 s. Faults
  /// of a node that is aside already are one incident with the fault that set it aside.
  void fault(NodeId id, const std::string& why, TimePoint now);
  /// The node has no room: nothing goes to it before `until`.
  void busy(NodeId id, TimePoint until);
  void refused(NodeId id);
  void accepted(NodeId id);
  /// A result came, `taken` after the offer of a task of `rows` rows.
  void finished(NodeId id, Duration taken, std::uint64_t rows, TimePoint now);

  /// The shard waits for a slot of the node.
  void enqueue(NodeId id, std::uint32_t shard);
  /// The next shard of the queue, taken out of it, if the node has a free slot.
  [[nodiscard]] std::optional<std::uint32_t> dequeue(NodeId id);
  /// The whole queue, taken out of the node.
  [[nodiscard]] std::deque<std::uint32_t> take_queue(NodeId id);
  /// The offer occupies a slot until it is answered, exactly once.
  void offer(NodeId id, const TaskId& task);
  void answered(NodeId id, const TaskId& task);

 private:
  [[nodiscard]] double least_seconds_per_row() const;

  std::vector<Node> nodes_;
};

}  // namespace gradmill::coordinator
