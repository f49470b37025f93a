// A training step by Eigen's own products: the design that the wide kernel replaced.
#pragma once

#include <cstdint>
#include <vector>

namespace gradmill::bench {

/// Samples a second of SGD steps with batches of `batch` rows on a perceptron of `units`, in float,
/// on random rows: forward, softmax, backward, update, all by Eigen's matrices.
[[nodiscard]] double eigen_training_rate(const std::vector<std::uint32_t>& units,
                                         std::uint32_t batch,
                                         double seconds);

}  // namespace gradmill::bench
