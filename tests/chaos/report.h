// What a run says at its end.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "chaos/jobs.h"
#include "chaos/measures.h"

namespace gradmill::chaos {

/// All that a run has seen.
struct Record {
  std::uint64_t seed = 1;
  double minutes = 0;  ///< That faults were made for.
  std::vector<MadeStrike> strikes{};
  std::vector<LogEntry> log{};
  std::vector<ResultCount> results{};
  std::vector<ResourceSample> resources{};
  std::vector<ResourceSample> base{};   ///< Of each process before the first fault,
  std::vector<ResourceSample> after{};  ///< and when all was over.
  std::vector<JobRun> jobs{};
};

struct FaultRow {
  Fault fault = Fault::kKillNode;
  std::size_t made = 0;
  std::size_t left_out = 0;
  std::size_t noticeable = 0;   ///< Of those made: on nodes, which a coordinator watches.
  std::size_t recoverable = 0;  ///< Of those made: on nodes or the coordinator.
  Spread detection{};
  Spread recovery{};
};

struct ProcessRow {
  Place place = Place::kCoordinator;
  std::uint64_t descriptors_before = 0;
  std::uint64_t descriptors_after = 0;
  std::uint64_t threads_before = 0;
  std::uint64_t threads_after = 0;
  double memory_max = 0;  ///< MiB.
  std::optional<double>
      memory_slope;  ///< MiB a minute; only of the node that nothing kills, in long runs.
};

struct Report {
  std::uint64_t seed = 1;
  double minutes = 0;
  std::vector<FaultRow> faults{};
  std::vector<ProcessRow> processes{};
  std::size_t jobs = 0;
  std::size_t clients = 0;
  std::size_t wrong = 0;
  std::size_t failed = 0;
  std::size_t unended = 0;
  std::vector<std::string> violations{};  ///< A line each; none if all is well.
};

/// Whether descriptors and threads of each process are what they were, but for a few.
[[nodiscard]] bool back_to_base(const std::vector<ResourceSample>& base,
                                const std::vector<ResourceSample>& after);

[[nodiscard]] Report make_report(const Record& record);

inline constexpr int kGood = 0;
inline constexpr int kViolated = 1;
/// kGood if nothing is violated.
[[nodiscard]] int exit_code_of(const Report& report);

void print(const Report& report, std::ostream& out);
[[nodiscard]] nlohmann::ordered_json to_json(const Report& report);

/// A CSV of what happened when: kind,what,where,begin,end,value.
void write_timeline(const Record& record, std::ostream& out);

}  // namespace gradmill::chaos
