// What a task does with its shard: everything that decides the bits of a delta besides the data.
#pragma once

#include <cstdint>

#include "ml/standardization.h"
#include "ml/topology.h"

namespace gradmill::ml {

/// The arithmetic of a job: its weights, deltas and kernels.
enum class Precision { kFloat, kDouble };

/// The function of the hidden units.
enum class Activation {
  kRelu,
  kTanh,
  kSigmoid,
  /// The course's Python program: identity forward, masked by (pre-activation >= 0) backward. For
  /// one hidden layer.
  kMlPy,
};

/// How a task moves its weights. Each task starts from a zero state.
enum class Optimizer {
  kGd,        ///< The course's: one step a pass over the shard, by the summed gradient.
  kSgd,       ///< A step a batch, by the mean gradient.
  kMomentum,  ///< kSgd with Nesterov momentum.
  kAdam,      ///< Adam with decoupled weight decay (Loshchilov and Hutter 2019).
};

/// The factor on eta over the whole job.
enum class Schedule {
  kConstant,
  kCosine,    ///< From 1 down to 0 along half a cosine.
  kOneCycle,  ///< Up from 1/25 to 1 over the first 30 %, down to 1e-4/25, both along half a cosine.
};

/// The training rule of one job.
struct TrainingRule {
  Topology topology;
  Activation activation = Activation::kRelu;
  Precision precision = Precision::kFloat;
  Optimizer optimizer = Optimizer::kGd;
  double eta = 0;                     ///< Step, > 0: per summed gradient for kGd, else per mean.
  std::uint32_t epochs = 0;           ///< Passes over the shard a round; 0 where steps are given.
  std::uint32_t steps_per_round = 0;  ///< Steps a round instead of epochs; 0 where epochs are.
  std::uint32_t batch_size = 0;       ///< Rows of a step, >= 1; 0 for kGd, which takes them all.
  double momentum = 0.9;              ///< Of kMomentum, in [0, 1).
  double weight_decay = 0;            ///< Decoupled, on weights and not on biases, >= 0.
  double label_smoothing = 0;         ///< In [0, 1): the target is (1 - s) onehot + s / classes.
  Schedule schedule = Schedule::kConstant;
  double min_loss_change = 0.2;     ///< kGd: stop when the loss changes by this or less; 0: never.
  std::uint64_t seed = 1;           ///< Of the initial weights and the order of rows.
  Standardization standardization;  ///< Of the features; none by default.
};

/// Where in its job a task is. Rounds count from 1.
struct TaskPosition {
  std::uint32_t round = 1;
  std::uint32_t rounds = 1;
  std::uint32_t shard = 0;
};

/// Bytes of one parameter.
[[nodiscard]] constexpr std::uint32_t element_bytes(Precision precision) {
  return precision == Precision::kFloat ? 4 : 8;
}

}  // namespace gradmill::ml
