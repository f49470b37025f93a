// The coordinator's step: how a round's deltas become the next round's weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/training_rule.h"

namespace gradmill::ml {

/// How the coordinator moves the weights by the averaged delta.
enum class ServerOptimizer {
  kAverage,   ///< w += eta * delta
  kMomentum,  ///< v = momentum * v + delta; w += eta * v
  kAdam,  ///< Adam on -delta: momentum is beta 1; beta 2 is 0.99, epsilon 1e-3 (Reddi et al. 2021).
};

/// The coordinator's rule of one job.
struct ServerRule {
  ServerOptimizer optimizer = ServerOptimizer::kAverage;
  double eta = 1;       ///< > 0
  double momentum = 0;  ///< In [0, 1); 0 for kAverage.
};

/// What the coordinator's optimiser remembers between rounds. Empty vectors count as zero.
struct ServerState {
  std::vector<double> first;   ///< kMomentum: velocity; kAdam: first moment.
  std::vector<double> second;  ///< kAdam: second moment.
};

/// One shard's part of a round.
struct WeightedDelta {
  std::string_view delta;  ///< Little endian, as long as the weights.
  std::uint64_t rows = 0;  ///< The weight of this shard, >= 1.
};

/// The next weights: the average delta is (sum over shards of rows * delta) / (sum of rows), summed
/// in the order given, in double; the rule's step is made in double and rounded once to
/// `precision`. Changes `state`. `round`, from 1, is for Adam's bias correction. All byte strings
/// have the length of `weights`.
[[nodiscard]] std::string server_step(std::string_view weights,
                                      std::span<const WeightedDelta> deltas,
                                      Precision precision,
                                      const ServerRule& rule,
                                      std::uint32_t round,
                                      ServerState& state);

/// Whether every element is finite, by the exponent bits.
[[nodiscard]] bool all_finite(std::string_view elements, Precision precision);

}  // namespace gradmill::ml
