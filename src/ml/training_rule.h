// What a task does with its shard: everything that decides the bits of a delta besides the data.
#pragma once

#include <cstdint>

#include "ml/topology.h"

namespace gradmill::ml {

/// The arithmetic of a job: its weights, deltas and kernels.
enum class Precision { kFloat, kDouble };

/// The function of the hidden units.
enum class Activation {
  kRelu,
  /// The course's Python program: identity forward, masked by (pre-activation >= 0) backward.
  kMlPy,
};

/// The training rule of one job (full-batch gradient descent on the summed cross-entropy).
struct TrainingRule {
  Topology topology;
  Activation activation = Activation::kRelu;
  Precision precision = Precision::kFloat;
  double eta = 0;                ///< Step per summed gradient, > 0.
  std::uint32_t epochs = 0;      ///< At most this many steps a round, >= 1.
  double min_loss_change = 0.2;  ///< Stop when the loss changes by this or less; 0 turns it off.
  std::uint64_t seed = 1;        ///< Of the initial weights.
};

/// Bytes of one parameter.
[[nodiscard]] constexpr std::uint32_t element_bytes(Precision precision) {
  return precision == Precision::kFloat ? 4 : 8;
}

}  // namespace gradmill::ml
