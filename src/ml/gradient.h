// The gradient kernel: one pass over a shard.
#pragma once

#include <memory>
#include <span>

#include "ml/sample_blocks.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// Summed softmax cross-entropy of a perceptron and its gradient over all samples of a shard.
///
/// Samples run along SIMD lanes and are taken in fixed blocks; each block has a partial gradient of
/// its own, and partials are summed in block order, so any number of threads gives the same bits.
/// Holds workspaces; not thread-safe. gradient_naive.h is the twin to read and to test against.
template <class T>
class GradientKernel {
 public:
  /// Uses up to `threads` OpenMP threads.
  GradientKernel(const Topology& topology, Activation activation, int threads);
  GradientKernel(GradientKernel&&) noexcept;
  GradientKernel& operator=(GradientKernel&&) noexcept;
  ~GradientKernel();

  /// Overwrites `descent` with minus the gradient of the summed cross-entropy, and returns the sum
  /// over all rows of -log(probability of the label + 1e-6). `parameters` and `descent` have
  /// parameter_count() elements in the layout of layer_views(); samples come in blocks of
  /// block_rows(topology).
  [[nodiscard]] double pass(const SampleBlocks<T>& samples,
                            std::span<const T> parameters,
                            std::span<T> descent);

  /// The number of samples whose most probable class, the lowest on ties, is not the label.
  [[nodiscard]] std::size_t count_errors(const SampleBlocks<T>& samples,
                                         std::span<const T> parameters);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Names the arithmetic of this build's kernels: equal ids give equal bits.
[[nodiscard]] const char* kernel_id();

/// Floating-point operations of one sample in one pass, counted as the products alone.
[[nodiscard]] double pass_flop(const Topology& topology);

extern template class GradientKernel<float>;
extern template class GradientKernel<double>;

}  // namespace gradmill::ml
