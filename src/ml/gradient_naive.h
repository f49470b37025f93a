// The gradient kernel's twin: the same sums by plain loops, one sample at a time.
#pragma once

#include <span>

#include "ml/shard.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// As GradientKernel::pass, on the rows as they are: overwrites `descent` with minus the gradient,
/// and returns the loss. For tests and benchmarks.
template <class T>
[[nodiscard]] double gradient_naive(const Topology& topology,
                                    Activation activation,
                                    const Shard& shard,
                                    std::span<const T> parameters,
                                    std::span<T> descent);

/// As GradientKernel::count_errors, by plain loops.
template <class T>
[[nodiscard]] std::size_t count_errors_naive(const Topology& topology,
                                             Activation activation,
                                             const Shard& shard,
                                             std::span<const T> parameters);

}  // namespace gradmill::ml
