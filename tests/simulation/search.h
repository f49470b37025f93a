// Many histories, on all processors.
#pragma once

#include <cstdint>
#include <optional>

#include "simulation/counts.h"

namespace gradmill::simulation {

struct SearchResult {
  Counts counts;                              ///< Of all histories that held.
  std::optional<std::uint64_t> failing_seed;  ///< The lowest one.
  double seconds = 0;
};

/// Runs histories `first_seed`, `first_seed` + 1, ..., in processes of their own, since the core
/// aborts where it finds a bug itself. Stops at a failure. The result does not depend on the number
/// of processes.
[[nodiscard]] SearchResult search(std::uint64_t first_seed,
                                  std::uint64_t histories,
                                  unsigned processes);

/// Runs one history in a process of its own, which prints what is violated, and, if `logging`, all
/// events. Returns whether it held.
[[nodiscard]] bool replay(std::uint64_t seed, bool logging);

}  // namespace gradmill::simulation
