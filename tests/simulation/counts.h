// What can go wrong in a history, and how often it did.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradmill::simulation {

/// Kinds of faults.
enum class Fault {
  kNodeCrash,
  kNodePause,
  kPartition,
  kNodeLeaves,
  kNodeRemoved,
  kNodeJoins,
  kStraggler,
  kRequestLost,
  kReplyLost,
  kDuplicate,
  kDelay,
  kReordering,
  kConnectionReset,
  kRefusal,
  kBusy,
  kCorruptedResult,
  kNodeError,
  kBrokenNode,
  kPoisonShard,
  kStaleReport,
  kDiskStall,
  kDiskError,
  kCoordinatorPause,
  kCoordinatorCrash,
};
inline constexpr std::array<std::string_view, 24> kFaultNames = {
    "node crash",
    "node pause",
    "partition",
    "node leaves",
    "node removed",
    "node joins",
    "straggler",
    "request lost",
    "reply lost",
    "duplicate",
    "delay",
    "reordering",
    "reset",
    "refusal",
    "busy",
    "corrupted result",
    "node error",
    "broken node",
    "poison shard",
    "stale report",
    "disk stall",
    "disk error",
    "coordinator pause",
    "coordinator crash",
};
inline constexpr std::size_t kFaults = kFaultNames.size();

/// Where the coordinator's process may end.
enum class CrashPoint {
  kRecordHandedOver,  ///< Something is to be durable; its batch has not begun.
  kBeforeFiles,
  kAfterFiles,   ///< And before the database's commit.
  kMidBatch,     ///< The records of a prefix are durable.
  kAfterCommit,  ///< And before the core knows.
  kAfterSaved,   ///< The core knows.
  kBetweenBatches,
  kAfterRestore,
  kJobDeleted,  ///< Durably, and before the core knows.
};
inline constexpr std::array<std::string_view, 9> kCrashPointNames = {
    "record handed over",
    "before files",
    "after files",
    "mid batch",
    "after commit",
    "after saved",
    "between batches",
    "after restore",
    "job deleted",
};
inline constexpr std::size_t kCrashPoints = kCrashPointNames.size();

/// What else is counted.
enum class Tally {
  kHistories,
  kEvents,
  kSimulatedSeconds,
  kJobs,
  kSucceeded,
  kFailed,
  kCancelled,
  kCommands,
  kSwitches,
  kOffersLocal,
  kDeletions,
  kResubmissions,
  kForgotten,
  kRounds,
  kRoundsIncomplete,
  kResultsCounted,
  kResultsLate,
  kOffers,
  kTakeOvers,
  kCopies,
  kConflicts,
  kSuspicions,
  kStarts,
  kHashesCompared,
  kRowsPredicted,
  kResizes,
};
inline constexpr std::array<std::string_view, 26> kTallyNames = {
    "histories",          "events",
    "simulated seconds",  "jobs",
    "jobs succeeded",     "jobs failed",
    "jobs cancelled",     "commands",
    "switches of mode",   "offers in local mode",
    "jobs deleted",       "jobs submitted again",
    "nodes forgotten",    "rounds",
    "rounds incomplete",  "results counted",
    "results too late",   "offers",
    "take-overs",         "stragglers copied",
    "conflicts",          "nodes suspected",
    "coordinator starts", "final hashes compared",
    "rows predicted",     "batch sizes changed",
};
inline constexpr std::size_t kTallies = kTallyNames.size();

/// Sums over one or many histories.
struct Counts {
  std::array<std::uint64_t, kFaults> faults{};
  std::array<std::uint64_t, kCrashPoints> crashes{};
  std::array<std::uint64_t, kTallies> tallies{};

  void add(Fault fault) { ++faults[static_cast<std::size_t>(fault)]; }
  void add(CrashPoint point) { ++crashes[static_cast<std::size_t>(point)]; }
  void add(Tally tally, std::uint64_t more = 1) {
    tallies[static_cast<std::size_t>(tally)] += more;
  }
  void add(const Counts& other) {
    for (std::size_t n = 0; n < kFaults; ++n) {
      faults[n] += other.faults[n];
    }
    for (std::size_t n = 0; n < kCrashPoints; ++n) {
      crashes[n] += other.crashes[n];
    }
    for (std::size_t n = 0; n < kTallies; ++n) {
      tallies[n] += other.tallies[n];
    }
  }
  [[nodiscard]] std::uint64_t of(Tally tally) const {
    return tallies[static_cast<std::size_t>(tally)];
  }
  [[nodiscard]] std::uint64_t all_faults() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : faults) {
      sum += count;
    }
    return sum;
  }
};

}  // namespace gradmill::simulation
