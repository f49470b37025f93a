// Whose turn it is: weighted fair shares of the nodes' slots.
//
// Start-time fair queueing (P. Goyal, H. M. Vin, H. Cheng: "Start-time Fair Queueing: A Scheduling
// Algorithm for Integrated Services Packet Switching Networks", SIGCOMM 1996), with many slots in
// place of one link as in SFQ(D) (W. Jin, J. Chase, J. Kaur: "Interposed Proportional Sharing for a
// Storage Service Utility", SIGMETRICS 2004).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "coordinator/core/task.h"
#include "protocol/job_share.h"

namespace gradmill::coordinator {

enum class WorkKind { kTraining, kPrediction };

/// What a task is expected to cost, and later what it has cost.
struct TaskCost {
  double seconds = 0;  ///< Of a slot.
  double rows = 0;
};

/// Shares of slot time between jobs. A pure value without a clock; not thread-safe.
///
/// Of the jobs that wait, those of the highest priority are served. Among them each training job,
/// and all prediction jobs together, get slot time in proportion to their weight; that of the group
/// is the sum of its jobs'. Within the group it is rows, not time, that are shared out so: jobs of
/// equal weight answer queries at equal rates whatever their batches cost.
///
/// A job has a virtual time, what it was given over its weight, and the least is served next. It
/// neither saves up nor owes what it did not want: after a time without work it goes on at the
/// virtual time of whoever was served last.
///
/// Jobs that never want the same slots are kept in pools of their own, so that a job's time does
/// not depend on what others are given elsewhere. Without a word from regroup() all share one.
class FairShare {
 public:
  /// What a task was charged, for settle().
  struct Charge {
    JobNumber job = 0;
    double weight = 1;  ///< Over which the slot time went.
    TaskCost cost;
    std::uint64_t grouping = 0;  ///< Those made before a regrouping count no more.
  };

  /// A new or resumed job; the next slot that it can take is its.
  void add(JobNumber job, WorkKind kind, const JobShare& share);
  void remove(JobNumber job);
  /// The pool of each job, 0 for those not named. All begin anew: none is owed anything.
  void regroup(const std::map<JobNumber, std::uint64_t>& pools);
  /// The job has work again after it had none.
  void arrived(JobNumber job);
  /// The one of `waiting`, all known, whose turn it is; nothing if there is none.
  [[nodiscard]] std::optional<JobNumber> first(std::span<const JobNumber> waiting) const;
  /// Whether `job` is served before `other` if both wait.
  [[nodiscard]] bool precedes(JobNumber job, JobNumber other) const;
  /// A task of the job, known, is given a slot and will cost so much.
  [[nodiscard]] Charge charge(JobNumber job, const TaskCost& expected);
  /// It has cost so much; nothing if it came to nothing. The job may be gone.
  void settle(const Charge& charge, const TaskCost& cost);

  [[nodiscard]] bool knows(JobNumber job) const { return members_.contains(job); }

 private:
  struct Member {
    WorkKind kind = WorkKind::kTraining;
    JobShare share;
    std::uint64_t pool = 0;
    double time = 0;    // virtual: of slot time, or, of prediction jobs, of rows
    bool fresh = true;  // nothing was given to it yet
  };
  /// The members of one pool and priority. Those of another priority are served before or after
  /// them, so that their virtual times say nothing of each other.
  struct Tier {
    double served = 0;       // the virtual time of whoever was served last
    double group = 0;        // that of all prediction jobs together
    double rows_served = 0;  // the virtual time, of rows, of the prediction job served last
    std::uint64_t group_weight = 0;
  };

  using TierKey = std::pair<std::uint64_t, std::int32_t>;  // pool and priority
  [[nodiscard]] static TierKey tier_of(const Member& member) {
    return {member.pool, member.share.priority};
  }
  [[nodiscard]] double slot_time(const Member& member) const;

  std::map<JobNumber, Member> members_;
  std::map<TierKey, Tier> tiers_;
  std::uint64_t grouping_ = 0;  // rises with each
};

}  // namespace gradmill::coordinator
