// The scheduler's cost at scale.
#pragma once

namespace gradmill::simulation {

/// Runs 10,000 shards on 10, 100 and 1000 simulated nodes and prints the scheduler's cost per task
/// and its memory. Returns whether they are within their bounds.
[[nodiscard]] bool report_scale();

}  // namespace gradmill::simulation
