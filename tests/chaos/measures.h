// What a run has seen, and what follows from it. No threads, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chaos/plan.h"

namespace gradmill::chaos {

/// Seconds since the run began, by the system's clock, which logs have, too.
using Seconds = double;

/// A line of the coordinator's log.
struct LogEntry {
  Seconds at = 0;
  std::string event;
  std::string node;  ///< Empty if it is about none; so is `job`.
  std::string job;
};

/// The entry that a JSON line of the log holds, nothing for other lines. `start` is the run's
/// first moment, in seconds since 1970.
[[nodiscard]] std::optional<LogEntry> parse_log_line(const std::string& line, double start);

/// How many results a node had given when it was asked.
struct ResultCount {
  Seconds at = 0;
  std::string node;
  std::uint64_t results = 0;
};

/// A strike that was made.
struct MadeStrike {
  Fault fault = Fault::kKillNode;
  std::vector<Place> places;
  std::vector<std::string> nodes;  ///< The addresses of those among the places.
  Seconds began = 0;
  Seconds ended = 0;
  bool took_place = false;  ///< False: not possible here, or not obeyed.
};

/// Whether the coordinator could notice it: it strikes nodes, and not the coordinator itself.
[[nodiscard]] bool is_noticeable(const MadeStrike& strike);
/// Whether work can be seen to go on after it: it strikes nodes or the coordinator.
[[nodiscard]] bool is_recoverable(const MadeStrike& strike);

/// From the beginning of a strike on nodes to the first note in the log that one of them is
/// suspect, failed or leaving, or that a task failed there; nothing if there is none, as with
/// faults that are short or mild.
[[nodiscard]] std::optional<Seconds> detection(const MadeStrike& strike,
                                               std::span<const LogEntry> log);

/// From the end of a strike to the next result of each node that was struck; of the coordinator, to
/// the next round that finished. Nothing if it was not seen, or only a client's link was struck.
[[nodiscard]] std::optional<Seconds> recovery(const MadeStrike& strike,
                                              std::span<const LogEntry> log,
                                              std::span<const ResultCount> results);

/// Of a process at a moment.
struct ResourceSample {
  Seconds at = 0;
  Place place = Place::kCoordinator;
  int pid = 0;
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
  std::uint64_t memory_bytes = 0;  ///< Resident.
};

/// Which samples show whether memory grows for good.
struct SlopeRule {
  Seconds warm_up = 0;   ///< At the beginning of each life, which do not count.
  Seconds span_min = 0;  ///< That the rest of all lives has to make up together.
};

/// By least squares within the lives of the place's processes, in MiB a minute; nothing where the
/// rule says that it would say nothing.
[[nodiscard]] std::optional<double> memory_slope(std::span<const ResourceSample> samples,
                                                 Place place,
                                                 const SlopeRule& rule);
/// The most that a process of the place had at any time.
[[nodiscard]] std::uint64_t memory_maximum(std::span<const ResourceSample> samples, Place place);

struct Spread {
  std::size_t count = 0;
  double median = 0;
  double maximum = 0;
};
[[nodiscard]] Spread spread_of(std::vector<double> values);

}  // namespace gradmill::chaos
