// The bookkeeping of one round: which shard is where, and which results have counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core/node_registry.h"
#include "coordinator/core/task.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// What became of a result.
enum class Verdict {
  kCounted,
  kDuplicate,  ///< The task already has a result.
  kStale,      ///< The offer is no longer the task's current one.
};

/// Why a job ended.
struct JobEnd {
  /// A code: succeeded, cancelled, no_capacity, shard_failed, poison_shard, diverged, stopped.
  std::string reason;
  std::string message;  ///< A sentence for people.
};

/// One round of one job. A single-threaded value; knows nothing of nodes but their ids.
///
/// A task is pending, queued at a node, offered to it, or done. Each move out of pending names a
/// node; each offer has a new number, and only the current offer may change its task.
class Round {
 public:
  enum class Place { kPending, kQueued, kOffered, kDone };

  struct Task {
    Place place = Place::kPending;
    NodeId node = 0;          ///< While queued or offered, and who did it once done.
    std::uint64_t offer = 0;  ///< Number of the newest offer; 0 before the first.
    bool accepted = false;    ///< The current offer was accepted.
    TimePoint offered_at{};
    std::set<NodeId> refused_by;           ///< Nodes that get no offer until they are forgiven.
    std::optional<TimePoint> forgiven_at;  ///< Backing off: when they are.
    unsigned backoffs = 0;                 ///< In a row.
    std::vector<NodeId> failed_on;         ///< Nodes that tried and failed, once per failure.
    std::set<NodeId> diverged_on;          ///< Nodes whose loss became infinite; asked no more.
    std::vector<NodeId> died_on;           ///< Nodes lost after they had accepted, once per loss.
    unsigned given_back = 0;               ///< Times a node accepted, and gave it back unharmed.
    std::string last_failure;              ///< For people.
    TaskResult result;
    double wait_seconds = 0;      ///< Once done.
    double transfer_seconds = 0;  ///< Once done.
  };

  Round(std::uint32_t number, std::size_t shards, TimePoint started);

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] TimePoint started() const { return started_; }
  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] std::size_t done() const { return done_; }
  /// Offers that are out, and how many of them were accepted.
  [[nodiscard]] std::size_t offered() const { return offered_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] bool complete() const { return done_ == tasks_.size(); }
  [[nodiscard]] const Task& task(std::uint32_t shard) const { return tasks_.at(shard); }
  /// Shards that wait for a node, ascending.
  [[nodiscard]] const std::set<std::uint32_t>& pending() const { return pending_; }
  /// Those of them that some node refused or failed at: not every node will do for them. The others
  /// are all alike to a policy, so that one look serves for all.
  [[nodiscard]] const std::set<std::uint32_t>& choosy() const { return choosy_; }
  /// Whether a pending task may go to the node.
  [[nodiscard]] bool wants(NodeId node) const;
  /// Since when no task is accepted; of use while none is.
  [[nodiscard]] TimePoint idle_since() const { return idle_since_; }
  /// The name of the shard's newest offer.
  [[nodiscard]] TaskId id(const std::string& job, std::uint32_t shard) const;
  /// Nodes that shall get no offer of the shard: they refused it, or it diverged on them.
  [[nodiscard]] std::set<NodeId> closed_to(std::uint32_t shard) const;
  /// Whether the shard's loss is no longer finite: two nodes say so, or all that are alive. All
  /// have the same bits, but a broken one must not end a job alone.
  [[nodiscard]] bool diverged(std::uint32_t shard, const NodeRegistry& nodes) const;
  /// Why the job must end, if there is no hope of a result for the shard: it failed too often, or
  /// was lost too often after a node had begun it.
  [[nodiscard]] std::optional<JobEnd> hopeless(std::uint32_t shard,
                                               const NodeRegistry& nodes) const;
  /// The results in shard order, once complete.
  [[nodiscard]] std::vector<Blob> deltas() const;
  /// The round as users see it, once complete; the caller fills in what closing it gave.
  [[nodiscard]] RoundReport report(const NodeRegistry& nodes, TimePoint now) const;

  /// Pending to queued.
  void queue(std::uint32_t shard, NodeId node);
  /// Queued to offered; returns the new offer's number.
  std::uint64_t offer(std::uint32_t shard, TimePoint now);
  /// Whether `offer` is the task's current one and still out.
  [[nodiscard]] bool is_current(std::uint32_t shard, std::uint64_t offer) const;

  /// The current offer was accepted; says whether that is news.
  bool accept(std::uint32_t shard, std::uint64_t offer);
  /// Queued or offered back to pending: the node refused it, tried and failed at it, says that its
  /// loss diverged, was lost with it, or gave it back with nothing wrong.
  void refuse(std::uint32_t shard, TimePoint now);
  void diverge(std::uint32_t shard, TimePoint now);
  void fail(std::uint32_t shard, const std::string& why, TimePoint now);
  void lose(std::uint32_t shard, TimePoint now);
  void give_back(std::uint32_t shard, TimePoint now);
  /// Starts a back-off of a pending task; nodes that refused are asked again from `forgiven_at` on.
  void back_off(std::uint32_t shard, TimePoint forgiven_at);
  /// Ends it: forgets the refusals.
  void forgive(std::uint32_t shard);

  /// Counts `result` if it answers the task's current offer and is the first.
  [[nodiscard]] Verdict complete(std::uint32_t shard,
                                 std::uint64_t offer,
                                 TaskResult result,
                                 TimePoint now);

  /// Aborts unless the counters and sets agree with the tasks.
  void check_invariants() const;
  /// Aborts unless the tasks, those of `job`, agree with the books of the nodes.
  void check_invariants(const std::string& job, const NodeRegistry& nodes) const;

 private:
  Task& leave_node(std::uint32_t shard, TimePoint now);
  void keep_choosy(std::uint32_t shard);
  [[nodiscard]] static bool is_choosy(const Task& task);

  std::uint32_t number_;
  TimePoint started_;
  TimePoint idle_since_;
  std::vector<Task> tasks_;
  std::set<std::uint32_t> pending_;
  std::set<std::uint32_t> choosy_;  // of the pending ones
  std::size_t done_ = 0;
  std::size_t offered_ = 0;
  std::size_t accepted_ = 0;  // of the offered ones
};

}  // namespace gradmill::coordinator
