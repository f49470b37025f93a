// One task: full-batch gradient descent on one shard from given weights.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "ml/sample_blocks.h"
#include "ml/shard.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// A shard laid out for the kernels of one precision.
using Samples = std::variant<SampleBlocks<float>, SampleBlocks<double>>;

/// Lays `shard` out for `rule`; it suits every rule of that precision and topology.
[[nodiscard]] Samples prepare_samples(const Shard& shard, const TrainingRule& rule);

/// What a task returns.
struct TrainingResult {
  std::string delta;         ///< New parameters minus old, little endian, in the rule's precision.
  std::uint32_t epochs = 0;  ///< Steps made; fewer than the rule's when it stopped early.
  double loss = 0;           ///< Summed cross-entropy of the last epoch, before its step if any.
  bool cancelled = false;    ///< Stopped on request: the rest means nothing.
};

/// Trains by `rule` from `parameters` (little endian, parameter_count elements): each epoch, take
/// the loss and its gradient; stop if the loss has changed by min_loss_change or less since the
/// epoch before; step by eta times the gradient. The bits depend on the rule, the samples and the
/// parameters alone, not on `threads`. Looks at `stop` between epochs.
[[nodiscard]] TrainingResult train_shard(const TrainingRule& rule,
                                         const Samples& samples,
                                         std::string_view parameters,
                                         int threads,
                                         const std::stop_token& stop);

/// The number of `samples` that a model puts in the wrong class; the lowest class wins ties.
[[nodiscard]] std::size_t count_errors(const TrainingRule& rule,
                                       const Samples& samples,
                                       std::string_view parameters,
                                       int threads);

/// The initial parameters of a job, little endian, in the rule's precision.
[[nodiscard]] std::string initial_parameter_bytes(const TrainingRule& rule);

}  // namespace gradmill::ml
