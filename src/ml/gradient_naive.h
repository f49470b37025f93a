// The gradient kernels' twin: the same sums by plain loops, one sample at a time.
#pragma once

#include <span>

#include "ml/shard.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// As BlockKernel::pass and BatchKernel::batch, on all rows as they are and in the layout of
/// layer_views(): overwrites `descent` with minus the gradient, and returns the loss. For tests and
/// benchmarks.
template <class T>
[[nodiscard]] double gradient_naive(const Topology& topology,
                                    Activation activation,
                                    double label_smoothing,
                                    const Shard& shard,
                                    std::span<const T> parameters,
                                    std::span<T> descent);

/// As count_errors() of both kernels, by plain loops.
template <class T>
[[nodiscard]] std::size_t count_errors_naive(const Topology& topology,
                                             Activation activation,
                                             const Shard& shard,
                                             std::span<const T> parameters);

}  // namespace gradmill::ml
