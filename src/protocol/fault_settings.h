// Faults that a process injects into its own work on purpose, as all programs speak of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/address.h"

namespace gradmill {

/// What check_faults() allows at most.
inline constexpr std::chrono::milliseconds kFaultDelayMax{60'000};
inline constexpr double kFaultSlowMax = 1000;
inline constexpr std::uint64_t kCrashAfterMax = 1'000'000'000;

/// All faults of one process. Calls are those about tasks at a node, those of clients at a
/// coordinator.
struct FaultSettings {
  double drop_requests = 0;            ///< Share of calls that are not executed.
  double drop_replies = 0;             ///< Share of calls that are executed and not answered.
  std::chrono::milliseconds delay{0};  ///< Before each call is executed.
  double corrupt = 0;                  ///< Nodes: share of results that are spoiled.
  double slow = 1;                     ///< Nodes: a task takes so many times as long.
  std::uint64_t crash_after = 0;       ///< Dies as the so manyth task or call begins; 0: never.

  friend bool operator==(const FaultSettings&, const FaultSettings&) = default;
};

/// How often each fault was injected since the start of the process.
struct FaultCounts {
  std::uint64_t drop_requests = 0;
  std::uint64_t drop_replies = 0;
  std::uint64_t delay = 0;    ///< Calls.
  std::uint64_t corrupt = 0;  ///< Results.
  std::uint64_t slow = 0;     ///< Tasks.

  friend bool operator==(const FaultCounts&, const FaultCounts&) = default;
};

struct FaultState {
  FaultSettings faults;
  FaultCounts injected;

  friend bool operator==(const FaultState&, const FaultState&) = default;
};

/// Whose faults are meant.
enum class FaultScope { kNode, kAllNodes, kCoordinator };

struct FaultTarget {
  FaultScope scope = FaultScope::kAllNodes;
  Address node{};  ///< kNode.

  friend bool operator==(const FaultTarget&, const FaultTarget&) = default;
};

/// Why a process did not do as it was told.
enum class FaultProblem { kNone, kNotEnabled, kUnreachable };

/// The faults of one process, as the coordinator reports them.
struct FaultReport {
  std::string server;  ///< host:port of the node, or "coordinator".
  FaultProblem problem = FaultProblem::kNone;
  std::string message;  ///< What the problem is, for people.
  FaultState state;     ///< If there is none.
};

/// Throws Error(kInvalidInput) that names what is out of range.
void check_faults(const FaultSettings& faults);

/// The same for a coordinator, which has no results to spoil and no tasks to slow down.
void check_coordinator_faults(const FaultSettings& faults);

}  // namespace gradmill
