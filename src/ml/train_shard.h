// One task: training on one shard from given weights.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>

#include "ml/samples.h"
#include "ml/training_result.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// Trains by `rule` from `parameters` (little endian, parameter_count elements).
///
/// kGd, each epoch: take the loss and its gradient over all rows; stop if the loss has changed by
/// min_loss_change or less since the epoch before; step by eta times the gradient. The others step
/// by the mean gradient of a batch; the order of rows and the schedule go on over the rounds.
///
/// The bits depend on the rule, the samples, the parameters and the position alone, not on
/// `threads`. Looks at `stop` between steps.
[[nodiscard]] TrainingResult train_shard(const TrainingRule& rule,
                                         const Samples& samples,
                                         std::string_view parameters,
                                         const TaskPosition& position,
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
