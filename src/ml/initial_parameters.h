// The weights a job starts from.
#pragma once

#include <cstdint>
#include <vector>

#include "ml/topology.h"

namespace gradmill::ml {

/// Uniform weights and biases in [-0.01, 0.01): MT19937 seeded with `seed` (its low 32 bits),
/// 53-bit doubles; the last layer first, and in each layer the bias row, then a row per input, as
/// the course's program draws them. In the layout of layer_views(), rounded to T.
template <class T>
[[nodiscard]] std::vector<T> initial_parameters(const Topology& topology, std::uint64_t seed);

extern template std::vector<float> initial_parameters(const Topology&, std::uint64_t);
extern template std::vector<double> initial_parameters(const Topology&, std::uint64_t);

}  // namespace gradmill::ml
