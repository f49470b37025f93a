// What the coordinator knows of its nodes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "coordinator/core/nodes/recent_work.h"
#include "coordinator/core/policy/policy.h"
#include "coordinator/core/record.h"
#include "coordinator/core/task.h"
#include "protocol/node_status.h"
#include "protocol/task.h"

namespace gradmill::coordinator {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Members at a time: each has a thread for its heartbeats, and one for each of its slots.
inline constexpr std::size_t kMembersMax = 4096;

/// What silence means. Duration::max() is never.
struct FailureDetection {
  Duration suspect_after = std::chrono::seconds(3);  ///< The node gets no new tasks.
  Duration failed_after = std::chrono::seconds(5);   ///< Its tasks go elsewhere.
  Duration forget_after = std::chrono::minutes(10);  ///< It is no member any more.
};

/// What a heartbeat tells.
struct NodeBeat {
  NodeHello hello;
  bool leaving = false;  ///< The node takes no new work.
  std::chrono::milliseconds uptime{0};
  Duration took{};  ///< From the question to the answer.
};

/// One node. Its state follows its heartbeats; a node that answers but whose tasks fail is set
/// aside for a while, longer with each fault in a row.
struct alignas(64) Node {
  // What every look for a node reads comes first, in one line of the cache.
  NodeState state = NodeState::kFailed;
  std::uint32_t slots = 1;
  std::uint32_t in_flight = 0;  ///< Queued or offered.
  double seconds_per_row = 0;   ///< Of work: moving average over its tasks; 0 while unknown.
  double seconds_per_task = 0;  ///< Likewise.
  double refusal_share = 0;     ///< Likewise over its offers.
  TimePoint measured_at{};
  TimePoint aside_until{};  ///< After a fault.
  TimePoint busy_until{};   ///< After it had no room for a task.

  Address address;
  NodeSource source = NodeSource::kListed;
  bool removed = false;               ///< Taken out by hand: heartbeats do not bring it back.
  std::string removed_incarnation{};  ///< Of the process that was taken out.
  std::optional<JobNumber> reserved;  ///< For one task of the job alone, until that is answered.
  std::optional<TaskKey> drained;     ///< Gets nothing else, so that this task can run alone.
  bool forgotten = false;             ///< No member any more; its id is not used again.
  NodeHello hello;
  TimePoint member_since{};
  std::optional<TimePoint> heard_at{};
  std::chrono::milliseconds uptime{0};
  std::string trouble = "has not answered yet";  ///< Why it is not alive, for people.
  std::string last_fault;                        ///< Since its last good result, for people.
  std::map<JobNumber, std::deque<std::uint32_t>> queues;  ///< Shards that wait for a slot of it.
  std::size_t queued = 0;                                 ///< All of them.
  std::set<TaskId> offers;  ///< Offers out that have not been answered.
  std::uint32_t faults_in_a_row = 0;
  std::uint32_t busy_in_a_row = 0;
  NodeTally tally;  ///< Over all jobs since the start.
  RecentWork recent_work;
  std::uint64_t copies = 0;
  std::uint64_t heartbeats_missed = 0;
  bool missed_since_heard = false;  ///< Some heartbeat was counted as missed.
  bool missed_in_advance = false;   ///< The one on its way was, for its node was silent too long.
  std::uint64_t false_suspicions = 0;

  /// Whether it answers, or may do so again any moment.
  [[nodiscard]] bool reachable() const {
    return state == NodeState::kAlive || state == NodeState::kSuspect;
  }
  [[nodiscard]] std::uint32_t open_slots() const { return reserved ? 1 : slots; }
  /// A node that leaves keeps what it has begun.
  [[nodiscard]] bool may_hold_leases() const { return state != NodeState::kFailed; }
};

/// The nodes by id, and what their heartbeats say of them. A single-threaded value: the time comes
/// in as an argument.
class NodeRegistry {
 public:
  explicit NodeRegistry(const FailureDetection& detection = {}) : detection_(detection) {}

  /// Adds a node that has not answered yet.
  NodeId add(const Address& address,
             NodeSource source = NodeSource::kListed,
             TimePoint now = TimePoint{});
  /// The member at this address.
  [[nodiscard]] std::optional<NodeId> find(const Address& address) const;
  /// Ids given so far, and how many of them are members.
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::size_t members() const { return members_.size(); }
  [[nodiscard]] const Node& at(NodeId id) const { return nodes_.at(id); }
  [[nodiscard]] NodeStatus status(NodeId id, TimePoint now) const;

  /// Whether tasks may be given to the node: it answers, its kernel gives the same bits as ours,
  /// and it is neither set aside nor busy.
  [[nodiscard]] bool usable(NodeId id, TimePoint now) const;
  /// From when on the node, alive, may be given tasks.
  [[nodiscard]] TimePoint usable_from(NodeId id) const;
  /// When, after `now`, the next node that is alive may be given tasks again.
  [[nodiscard]] std::optional<TimePoint> next_usable(TimePoint now) const;
  [[nodiscard]] NodeView view(NodeId id, TimePoint now) const;
  /// Views of the usable nodes that are not drained but those in `refused`; without those in
  /// `failed` too, unless no other is left; and none but those in `only`, if it is given. No idle
  /// node is shown as faster than all were measured. Valid until the next call.
  [[nodiscard]] const std::vector<NodeView>& views(const std::set<NodeId>& refused,
                                                   const std::vector<NodeId>& failed,
                                                   TimePoint now,
                                                   const std::set<NodeId>* only = nullptr) const;
  /// Whether some node that is alive, perhaps set aside, has a slot free.
  [[nodiscard]] bool has_free_slot() const { return nodes_free_ > 0; }
  /// Nodes that answer, or may do so again any moment, also those set aside.
  [[nodiscard]] std::set<NodeId> alive() const;
  /// Whether an offer of a task of `job` has not been answered.
  [[nodiscard]] bool owes(const std::string& job) const;
  /// Those of them that have not, for people.
  [[nodiscard]] std::string debtors_in_words(const std::string& job) const;
  /// Each node and why it takes no tasks, for people; `tallies` are those of the job that waits.
  [[nodiscard]] std::string in_words(const std::map<NodeId, NodeTally>& tallies) const;

  /// The node answered.
  void up(NodeId id, const NodeBeat& beat, TimePoint now);
  /// It did not, and nobody listens there any more: it has failed, unless it had left.
  void down(NodeId id, const std::string& why);
  /// It did not, who knows why: silence decides.
  void missed(NodeId id, const std::string& why);
  /// Nobody could have heard the nodes for the last `gap`: it is no silence of theirs.
  void excuse_silence(Duration gap, TimePoint now);
  /// Nodes that have just failed for having been silent. Others become suspect, or are forgotten:
  /// the latter are added to `forgotten`.
  [[nodiscard]] std::vector<NodeId> judge_silence(TimePoint now, std::vector<NodeId>& forgotten);
  /// When judge_silence() may have something to say, at the earliest.
  [[nodiscard]] std::optional<TimePoint> next_judgement() const { return next_judgement_; }
  /// Takes the node out by hand, or takes that back.
  void remove(NodeId id);
  void remove(NodeId id, const std::string& incarnation);
  void readmit(NodeId id, TimePoint now);

  /// A task on the node failed by the node's fault: set it aside, 100 ms doubling up to 5 s. Faults
  /// of a node that is aside already are one incident with the fault that set it aside.
  void fault(NodeId id, const std::string& why, TimePoint now);
  /// The node has no room: nothing goes to it before `until`.
  void busy(NodeId id, TimePoint until);
  void refused(NodeId id);
  void accepted(NodeId id);
  /// An offer ended in a fault of the node.
  void failed(NodeId id) { ++nodes_.at(id).tally.failed; }
  /// A result came, `taken` after the offer of a task of `work`: rows, if all jobs are alike.
  void finished(NodeId id, Duration taken, double work, TimePoint now);

  /// The task waits for a slot of the node.
  void enqueue(NodeId id, const TaskKey& task);
  /// It waits there no longer.
  void withdraw(NodeId id, const TaskKey& task);
  /// A node whose queue has a task for which it has a slot.
  [[nodiscard]] std::optional<NodeId> ready() const;
  /// The job's next shard of the queue, taken out of it, if the node has a free slot.
  [[nodiscard]] std::optional<std::uint32_t> dequeue(NodeId id, JobNumber job);
  /// The whole queue, taken out of the node.
  [[nodiscard]] std::vector<TaskKey> take_queue(NodeId id);
  /// Takes the tasks of the job out of all queues.
  void drop_queued(JobNumber job);
  /// The node, which has no task, has one slot until the next one of the job has been answered.
  void reserve(NodeId id, JobNumber job);
  /// The node gets no task, until it is reserved or undrained; its queue must be empty.
  void drain(NodeId id, const TaskKey& task);
  void undrain(NodeId id);
  /// Nodes that are drained.
  [[nodiscard]] const std::set<NodeId>& draining() const { return draining_; }
  /// The offer occupies a slot until it is answered, exactly once.
  void offer(NodeId id, const TaskId& task);
  void answered(NodeId id, const TaskId& task);
  /// A slot was used for the job, `seconds` long until `now`.
  void worked(NodeId id, JobNumber job, double seconds, TimePoint now) {
    nodes_.at(id).recent_work.add(job, seconds, now);
  }
  void copied(NodeId id) { ++nodes_.at(id).copies; }

 private:
  static void count_missed(Node& node);
  [[nodiscard]] double shown_seconds_per_row(const Node& node, TimePoint now) const;
  /// Keeps the counts and sets that follow from the node; to be called after every change of it.
  void refresh(NodeId id);
  void expect_judgement(TimePoint at);

  FailureDetection detection_;
  std::vector<Node> nodes_;
  std::map<Address, NodeId> members_;
  std::set<NodeId> ready_;
  std::set<NodeId> draining_;
  std::vector<bool> free_;  // by node: alive, with a slot that nothing is in flight for
  std::size_t nodes_free_ = 0;
  std::optional<TimePoint> next_judgement_;
  TimePoint all_usable_from_{};  // no node is aside or busy from then on
  mutable std::vector<NodeView> views_;
};

}  // namespace gradmill::coordinator
