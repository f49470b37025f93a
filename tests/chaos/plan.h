// What a run of chaos does to its cluster, drawn from its seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gradmill::chaos {

using std::chrono::milliseconds;

enum class Fault {
  kKillNode,         ///< SIGKILL, and a start later.
  kStopNode,         ///< SIGSTOP, and SIGCONT later.
  kRestartNode,      ///< SIGTERM: the planned leave; and a start later.
  kKillCoordinator,  ///< As of nodes, on the same state folder.
  kStopCoordinator,
  kRestartCoordinator,
  kPowerCut,      ///< SIGKILL for the coordinator and all nodes that may die, at once.
  kPartition,     ///< A link loses everything in both directions.
  kRequestsLost,  ///< A link loses everything towards the one that is called.
  kAnswersLost,   ///< The other way round.
  kSwizzle,       ///< All links are partitioned one by one, and healed in another order.
  kLostCalls,     ///< A link loses one frame in five, each way.
  kDelay,         ///< A link takes 75 ms, 50 ms more or less, each way.
  kReset,         ///< A link resets each connection in the middle of what it next carries.
  kSlowLink,      ///< A link carries 64 kbit/s each way.
  kLinkDown,      ///< A network interface goes down between two namespaces.
  kPresetLow,     ///< A node or the coordinator drops calls itself: `client fault set`.
  kPresetMid,
  kPresetHigh,
  kCorrupt,   ///< By the same verb: a node spoils every second result,
  kSlowNode,  ///< or takes ten times as long for a task.
};
inline constexpr std::size_t kFaults = 21;

/// Lower case with hyphens: kill-node, ...
[[nodiscard]] std::string_view name_of(Fault fault);
/// A line for people.
[[nodiscard]] std::string_view description_of(Fault fault);
[[nodiscard]] std::vector<Fault> all_faults();

/// Where a fault strikes: a process, or a link to it.
enum class Place {
  kDirectNode,   ///< Listed, and reached without a proxy: a dead one refuses connections.
  kProxiedNode,  ///< Listed with the port of a proxy.
  kJoinedNode,   ///< Announces itself, and advertises a proxy's port.
  kSparedNode,   ///< In a network namespace, if there is one; never killed, so that leaks show.
  kCoordinator,
  kClient,    ///< Only its link, through which jobs are submitted and followed.
  kJoinLink,  ///< That by which kJoinedNode announces itself.
};
inline constexpr std::size_t kPlaces = 7;
inline constexpr std::size_t kNodes = 4;  ///< The first places.

/// direct-node, ...
[[nodiscard]] std::string_view name_of(Place place);

enum class Act { kBegin, kEnd };

/// One half of what a fault does to one place.
struct Step {
  milliseconds at{};  ///< From the first moment of chaos on.
  Act act = Act::kBegin;
  Place place = Place::kDirectNode;
  std::size_t strike = 0;  ///< Index in Plan::strikes.
  friend bool operator==(const Step&, const Step&) = default;
};

/// One fault. No place has two at a time.
struct Strike {
  Fault fault = Fault::kKillNode;
  milliseconds begins{};
  milliseconds ends{};  ///< When its last step is made.
  std::vector<Place> places;
  friend bool operator==(const Strike&, const Strike&) = default;
};

struct Plan {
  std::vector<Strike> strikes;  ///< In the order of their beginnings.
  std::vector<Step> steps;      ///< In order of time.
};

/// The plan of a seed: the same everywhere. Strikes begin until `length` is over, but each fault
/// strikes at least once, also if that takes longer.
[[nodiscard]] Plan make_plan(std::uint64_t seed, milliseconds length);

}  // namespace gradmill::chaos
