// The bookkeeping of one round: which shard is where, and which results have counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinator/core/nodes/node_registry.h"
#include "coordinator/core/record.h"
#include "coordinator/core/round/running_median.h"
#include "coordinator/core/task.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// What became of a result.
enum class Verdict {
  kCounted,
  kDuplicate,  ///< The task already has this result.
  kConflict,   ///< The task already has a result, with other bits.
  kStale,      ///< The offer is not out.
};

/// One round of one job. A single-threaded value; knows nothing of nodes but their ids.
///
/// A task is pending, queued at a node, offered, done, or, once the round does without it, skipped.
/// Each offer has a new number and is a lease: only offers that are out may change their task. A
/// straggler's task has two, on different nodes.
///
/// A round of a prediction job is a window that goes along the rows: it gets tasks at its end, and
/// forgets those at its start.
class Round {
 public:
  enum class Place { kPending, kQueued, kOffered, kDone, kSkipped };

  struct Lease {
    NodeId node = 0;
    std::uint64_t offer = 0;
    TimePoint offered_at{};
    bool taken = false;     ///< The node wants it: it began, or asked for blobs.
    bool accepted = false;  ///< The node has begun.
    TimePoint accepted_at{};
  };

  struct Task {
    Place place = Place::kPending;
    NodeId node = 0;                       ///< Queued at, last left by, or done by.
    std::vector<Lease> leases;             ///< Offers that are out, at most two.
    std::uint32_t offers = 0;              ///< Made so far.
    std::set<NodeId> refused_by;           ///< Nodes that get no offer until they are forgiven.
    std::optional<TimePoint> forgiven_at;  ///< Backing off: when they are.
    unsigned backoffs = 0;                 ///< In a row.
    std::vector<NodeId> failed_on;         ///< Nodes that tried and failed, once per failure.
    std::set<NodeId> diverged_on;          ///< Nodes whose loss became infinite; asked no more.
    std::vector<NodeId> died_on;           ///< Nodes whose process ended with it, once each time.
    unsigned ended_with = 0;               ///< Processes that ended and had it, begun or not.
    unsigned given_back = 0;               ///< Times a node accepted, and gave it back unharmed.
    std::string last_failure;              ///< For people.
    TimePoint copy_from{};                 ///< Not before this is it copied again.
    TimePoint added_at{};                  ///< To the round.
    TaskResult result;
    double wait_seconds = 0;      ///< Once done.
    double transfer_seconds = 0;  ///< Once done.

    /// It may be what ended processes, so it runs alone: no other task shall die, or be blamed.
    [[nodiscard]] bool is_suspect() const { return ended_with >= 2; }
  };

  /// `offers_before`: what the numbers of its offers start behind.
  Round(std::uint32_t number,
        std::size_t shards,
        TimePoint started,
        std::uint64_t offers_before = 0);

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] TimePoint started() const { return started_; }
  /// Tasks that it ever had; those before first() are done and forgotten.
  [[nodiscard]] std::uint32_t size() const {
    return first_ + static_cast<std::uint32_t>(tasks_.size());
  }
  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] bool has(std::uint32_t shard) const { return shard >= first_ && shard < size(); }
  [[nodiscard]] std::size_t done() const { return done_; }
  /// Offers that are out, and how many of them were accepted.
  [[nodiscard]] std::size_t offered() const { return offered_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  /// Whether every task is done or skipped.
  [[nodiscard]] bool complete() const { return done_ + skipped_ == size(); }
  [[nodiscard]] const Task& task(std::uint32_t shard) const { return tasks_.at(shard - first_); }
  /// Shards that wait for a node, ascending.
  [[nodiscard]] const std::set<std::uint32_t>& pending() const { return pending_; }
  /// Those of them that some node refused or failed at: not every node will do for them. The others
  /// are all alike to a policy, so that one look serves for all.
  [[nodiscard]] const std::set<std::uint32_t>& choosy() const { return choosy_; }
  /// Whether the shard is one of those others, or would be if it were pending.
  [[nodiscard]] bool is_alike(std::uint32_t shard) const { return is_alike(task(shard)); }
  /// How many shards wait for a slot of the node that was picked for them.
  [[nodiscard]] std::size_t queued() const {
    return size() - done_ - skipped_ - pending_.size() - out_.size();
  }
  /// Shards that are offered, ascending.
  [[nodiscard]] const std::set<std::uint32_t>& out() const { return out_; }
  /// Whether a pending task may go to the node.
  [[nodiscard]] bool wants(NodeId node) const;
  /// Whether some node is at work, or is being given what it needs for it.
  [[nodiscard]] bool has_takers() const { return taken_ > 0; }
  /// Since when no node is; of use while none is.
  [[nodiscard]] TimePoint idle_since() const { return idle_since_; }
  /// The names of the shard's offers that are out.
  [[nodiscard]] TaskId id(const std::string& job, std::uint32_t shard, std::uint64_t offer) const {
    return {.job = job, .round = number_, .shard = shard, .offer = offer};
  }
  /// The offer, if it is out.
  [[nodiscard]] const Lease* lease(std::uint32_t shard, std::uint64_t offer) const;
  /// Nodes that shall get no offer of the shard: they refused it, or it diverged on them.
  [[nodiscard]] std::set<NodeId> closed_to(std::uint32_t shard) const;
  /// Whether the shard's loss is no longer finite: two nodes say so, or all that are alive. All
  /// have the same bits, but a broken one must not end a job alone.
  [[nodiscard]] bool diverged(std::uint32_t shard, const NodeRegistry& nodes) const;
  /// Why the job must end, if there is no hope of a result for the shard, called `name`: it failed
  /// too often, or ended too many processes that had begun it.
  [[nodiscard]] std::optional<JobEnd> hopeless(std::uint32_t shard,
                                               const std::string& name,
                                               const NodeRegistry& nodes) const;
  /// Shards whose only offer is so late by `now` that another node should try them as well, oldest
  /// offer first: three quarters of the shards are done, and it takes more than twice their median,
  /// and over a second.
  [[nodiscard]] std::vector<std::uint32_t> late(TimePoint now) const;
  /// When the first shard will be, or was; nothing while that cannot be said.
  [[nodiscard]] std::optional<TimePoint> next_late() const;
  /// Nodes with an offer that takes more than twice the median of the shards done, and over a
  /// second, ascending; none before the first shard is done.
  [[nodiscard]] std::set<NodeId> late_nodes(TimePoint now) const;
  /// When the next offer after those makes its node late.
  [[nodiscard]] std::optional<TimePoint> next_late_node(TimePoint now) const;
  /// Shards that are done, ascending, and, once complete, those that are not.
  [[nodiscard]] std::vector<std::uint32_t> shards_done() const;
  [[nodiscard]] std::vector<std::uint32_t> shards_missing() const;
  /// The round as users see it, once complete; the caller fills in what closing it gave.
  [[nodiscard]] RoundReport report(const NodeRegistry& nodes, TimePoint now) const;

  /// Pending to queued, and back.
  void queue(std::uint32_t shard, NodeId node);
  void unqueue(std::uint32_t shard);
  /// Queued to offered; returns the new offer's number.
  std::uint64_t offer(std::uint32_t shard, TimePoint now);
  /// A second offer of an offered task, to another node; returns its number.
  std::uint64_t copy(std::uint32_t shard, NodeId node, TimePoint now);

  /// The node wants the task; it has begun, which may be news. Nothing if the offer is not out.
  void take(std::uint32_t shard, std::uint64_t offer);
  bool accept(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  /// The offer, which is out, came to nothing: the node refused it, tried and failed at it, says
  /// that its loss diverged, was lost with it, or gave it back with nothing wrong. Without another
  /// offer the task is pending again. Whether a loss was a death, survived() or died() tells.
  void refuse(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  void diverge(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  void fail(std::uint32_t shard, std::uint64_t offer, const std::string& why, TimePoint now);
  void lose(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  void give_back(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  /// The node's process goes on: what was lost with it was lost on the way.
  void survived(NodeId node);
  /// That no node was at work on it until now is not for lack of capacity.
  void excuse_idleness(TimePoint now) { idle_since_ = now; }
  /// A process of it that lived until `until` at least has ended, unplanned: what it had begun by
  /// then and lost died with it. Returns all that was lost, begun or not.
  [[nodiscard]] std::vector<std::uint32_t> died(NodeId node, TimePoint until = TimePoint::max());
  /// Starts a back-off of a pending task; nodes that refused are asked again from `forgiven_at` on.
  void back_off(std::uint32_t shard, TimePoint forgiven_at);
  /// Ends it: forgets the refusals.
  void forgive(std::uint32_t shard);

  /// Counts `result` if its offer is out and the first. Other offers of the task are void then; the
  /// caller gets them in `superseded`.
  [[nodiscard]] Verdict complete(std::uint32_t shard,
                                 std::uint64_t offer,
                                 TaskResult result,
                                 TimePoint now,
                                 std::vector<Lease>& superseded);
  /// Does without the tasks that are not done; returns their offers with their shards.
  [[nodiscard]] std::vector<std::pair<std::uint32_t, Lease>> skip_rest();

  /// Adds so many tasks at the end.
  void extend(std::size_t shards, TimePoint now);
  /// Forgets the tasks before `shard`, all done. What comes for them is stale.
  void forget_before(std::uint32_t shard);
  /// Forgets the tasks behind the last one that was ever offered, none of which is queued.
  void cut_untouched();

  /// Aborts unless the counters and sets agree with the tasks.
  void check_invariants() const;
  /// Aborts unless the tasks, those of this job, agree with the books of the nodes.
  void check_invariants(const std::string& job, JobNumber number, const NodeRegistry& nodes) const;

 private:
  [[nodiscard]] Task& at(std::uint32_t shard) { return tasks_.at(shard - first_); }
  /// Takes the lease off its task, which is pending if it was the last one. Returns the lease.
  Lease end_lease(std::uint32_t shard, std::uint64_t offer, TimePoint now);
  void forget_lease(std::uint32_t shard, const Lease& lease);
  std::uint64_t add_lease(std::uint32_t shard, NodeId node, TimePoint now);
  void keep_choosy(std::uint32_t shard);
  /// Around every change of the task's leases.
  void forget_single(std::uint32_t shard);
  void keep_single(std::uint32_t shard);
  /// How long an offer may take before it is late, and before its task is copied; nothing while
  /// that cannot be said.
  [[nodiscard]] std::optional<Duration> late_after() const;
  [[nodiscard]] std::optional<Duration> copied_after() const;
  [[nodiscard]] static bool is_alike(const Task& task);
  [[nodiscard]] static bool is_choosy(const Task& task);

  std::uint32_t number_;
  TimePoint started_;
  TimePoint idle_since_;
  std::uint64_t offers_before_;
  std::uint32_t first_ = 0;
  std::deque<Task> tasks_;  // from first_ on
  std::set<std::uint32_t> pending_;
  std::set<std::uint32_t> choosy_;  // of the pending ones
  std::set<std::uint32_t> out_;
  std::map<std::pair<NodeId, std::uint32_t>, TimePoint>
      in_doubt_;  // lost with a node: when it had begun, if at all
  std::set<std::tuple<TimePoint, std::uint32_t, NodeId>> leases_;  // of all tasks, oldest first
  std::set<std::pair<TimePoint, std::uint32_t>> singles_;  // only one offer, and taken: since when
  RunningMedian seconds_;  // of the tasks done, from offer to result
  std::size_t done_ = 0;
  std::size_t skipped_ = 0;
  std::size_t offered_ = 0;
  std::size_t taken_ = 0;     // of the offered ones
  std::size_t accepted_ = 0;  // of the taken ones
};

}  // namespace gradmill::coordinator
