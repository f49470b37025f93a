// The full-batch kernel for small perceptrons: samples in lanes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ml/aligned.h"
#include "ml/kernel/kernels.h"
#include "ml/sample_blocks.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// Summed softmax cross-entropy of a perceptron and its gradient over all samples of a shard.
///
/// Samples run along SIMD lanes and are taken in fixed blocks, so that odd layer sizes waste no
/// lane. Each block has a partial gradient of its own, summed lane by lane and then over the lanes;
/// partials are summed in block order, so any number of threads gives the same bits. Holds
/// workspaces; not thread-safe. gradient_naive.h is the twin to read and to test against.
template <class T>
class BlockKernel {
 public:
  /// Uses up to `threads` OpenMP threads.
  BlockKernel(const Topology& topology,
              Activation activation,
              int threads,
              const Kernels& set = kernels());

  /// Overwrites `descent` with minus the gradient of the summed cross-entropy, and returns the sum
  /// over all rows of -log(probability of the label + 1e-6). `parameters` and `descent` have
  /// parameter_count() elements in the layout of layer_views().
  [[nodiscard]] double pass(const SampleBlocks<T>& samples,
                            std::span<const T> parameters,
                            std::span<T> descent);

  /// Writes the most probable class, the lowest on ties, of each sample.
  void classify(const SampleBlocks<T>& samples,
                std::span<const T> parameters,
                std::span<std::int32_t> classes);
  /// The number of samples whose most probable class, the lowest on ties, is not the label.
  [[nodiscard]] std::size_t count_errors(const SampleBlocks<T>& samples,
                                         std::span<const T> parameters);

  /// Takes the parameters that predict() goes by.
  void prepare(std::span<const T> parameters);
  /// The most probable class of each of up to kBlockRows samples, the lowest on ties, and its
  /// probability. `features` are [features][kBlockRows]; whole vectors of samples are read, and
  /// written.
  void predict(const T* features, std::size_t rows, std::int32_t* classes, T* probabilities);

  /// The largest network it is made for: beyond, BatchKernel is faster, and the sums of a block
  /// would not stay in the cache.
  static constexpr std::uint64_t kParametersBest = 8192;

 private:
  struct Workspace {
    std::vector<AlignedArray<T>> outputs;  ///< One a layer: [units][kBlockRows]; then its deltas.
    AlignedArray<T> sums;  ///< A vector for each parameter, in sums_order_; of pass().
    std::vector<std::int32_t> classes;
  };
  /// A matrix in the order that the products want.
  struct Packed {
    std::vector<std::uint32_t> order;  ///< Where in the parameters each element is.
    AlignedArray<T> values;
    void pack(const T* parameters);
  };

  Workspace& workspace(int worker);
  void forward(Workspace& space, const T* features, std::size_t samples, const T* parameters);
  double block_pass(Workspace& space,
                    const SampleBlocks<T>& samples,
                    std::size_t block,
                    const T* parameters);
  void check(const SampleBlocks<T>& samples, std::span<const T> parameters) const;

  const KernelTable<T>& table_;
  Topology topology_;
  std::vector<LayerView> layers_;
  UnitFunction function_;
  int threads_;
  std::vector<Packed> forward_;
  std::vector<Packed> backward_;           // of layer 1 on
  std::vector<std::uint32_t> sums_order_;  // parameter of each vector of sums
  std::size_t sums_ = 0;                   // of the vectors, in whole vectors of totals
  std::vector<Workspace> workspaces_;      // one a thread
  std::vector<T> prepared_;                // by prepare()
  AlignedArray<T> partials_;               // gradients of the blocks of a wave, in sums_order_
  AlignedArray<T> totals_;                 // their sum
};

extern template class BlockKernel<float>;
extern template class BlockKernel<double>;

}  // namespace gradmill::ml
