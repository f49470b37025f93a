// What comes of a task.
#pragma once

#include <cstdint>
#include <string>

namespace gradmill::ml {

/// What a task returns.
struct TrainingResult {
  std::string delta;         ///< New parameters minus old, little endian, in the rule's precision.
  std::uint32_t epochs = 0;  ///< Whole passes over the shard.
  std::uint64_t steps = 0;   ///< Steps of the optimiser.
  /// kGd: summed cross-entropy of the last pass, before its step if any. Else the mean over the
  /// rows of all steps, each before its step, times the rows of the shard.
  double loss = 0;
  bool cancelled = false;  ///< Stopped on request: the rest means nothing.
  bool diverged = false;   ///< The loss or the parameters are no longer finite.
};

}  // namespace gradmill::ml
