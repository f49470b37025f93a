// The mini-batch kernel, for perceptrons of any size: units in lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ml/aligned.h"
#include "ml/kernel/kernels.h"
#include "ml/sample_rows.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// Softmax cross-entropy of a perceptron over the rows of a batch, and its gradient.
///
/// Units run along SIMD lanes. The parameters are a block in the kernel's own layout: whatever
/// works element by element, like an optimiser, need not know it. Each element of the gradient is
/// one chain of additions in the order of the rows, so neither tiles nor threads change its bits.
/// Holds workspaces; not thread-safe. gradient_naive.h is the twin to read and to test against.
template <class T>
class BatchKernel {
 public:
  /// Uses up to `threads` OpenMP threads where a batch is worth it.
  BatchKernel(const Topology& topology,
              Activation activation,
              double label_smoothing,
              int threads,
              const Kernels& set = kernels());

  /// Elements of a block in the kernel's layout: the parameters, each tensor padded with zeros.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// From the layout of layer_views() to a block of size() elements on 64 bytes, and back.
  void import_parameters(std::span<const T> flat, T* block) const;
  void export_parameters(const T* block, std::span<T> flat) const;

  /// A part of a block, in whole vectors.
  struct Piece {
    std::size_t offset = 0;
    std::size_t size = 0;
    bool is_weight = false;      ///< A part of a weight matrix, not of biases.
    const T* descent = nullptr;  ///< [size], while `step` runs.
  };
  /// Called once for each piece, possibly by several threads at a time: the descent of the piece is
  /// ready, and its parameters may change.
  using Step = std::function<void(const Piece& piece)>;

  /// Overwrites `descent` with minus the gradient of the loss summed over the rows with the given
  /// indices, and calls `step` for each piece. For up to kRowsAtOnce rows `descent` may be null:
  /// pieces then live in a cache while `step` runs, and not in memory. Returns the sum over the
  /// rows of -log(probability of the label + 1e-6); label smoothing takes part in the gradient
  /// alone. The pieces' order depends on the topology alone. `step` must not throw.
  [[nodiscard]] double batch(const SampleRows<T>& samples,
                             std::span<const std::uint32_t> rows,
                             T* parameters,
                             T* descent,
                             const Step& step);

  /// Rows that go through the network at a time: activations stay within megabytes.
  static constexpr std::size_t kRowsAtOnce = 1024;

  /// Writes the most probable class, the lowest on ties, of each sample.
  void classify(const SampleRows<T>& samples, const T* parameters, std::span<std::int32_t> classes);
  /// The number of samples whose most probable class, the lowest on ties, is not the label.
  [[nodiscard]] std::size_t count_errors(const SampleRows<T>& samples, const T* parameters);

  /// The most probable class of each of up to kRowsAtOnce rows, the lowest on ties, and its
  /// probability. `features` are row-major without padding; whole vectors of rows are written.
  void predict(const T* features,
               std::size_t rows,
               const T* parameters,
               std::int32_t* classes,
               T* probabilities);

 private:
  /// One layer of weights in a block: [panel][in][width], then biases.
  struct Layer {
    std::size_t in;
    std::size_t out;
    std::size_t vectors;  // of outputs
    std::size_t weight;   // offset
    std::size_t bias;     // offset
  };
  /// A piece and, for weights, the part of the matrix that it is.
  struct Work {
    Piece piece;
    std::size_t unit = 0;
    std::size_t width = 0;  // units of the panel
    std::size_t first_in = 0;
    std::size_t inputs = 0;
  };

  void plan_work(std::size_t n);
  void reserve(std::size_t rows);
  void reserve_way_back();
  void gather(const SampleRows<T>& samples, std::span<const std::uint32_t> rows);
  void forward(const UnitPanels<const T>& features,
               const T* parameters,
               std::size_t first,
               std::size_t rows);
  double forward_and_loss(const T* parameters, std::size_t rows);
  void gradient(std::size_t n, T* descent, std::size_t rows, bool resume, const Step* step);
  void backward(std::size_t n, std::size_t rows);
  [[nodiscard]] UnitPanels<T> panels(AlignedArray<T>& of, std::size_t units) const;
  [[nodiscard]] UnitPanels<T> outputs(std::size_t n);
  [[nodiscard]] UnitPanels<const T> inputs(std::size_t n);
  [[nodiscard]] int threads_for(std::size_t rows) const;
  template <class F>
  void for_each_slice(std::size_t rows, const F& f) const;

  const KernelTable<T>& table_;
  Topology topology_;
  UnitFunction function_;
  Targets<T> targets_;
  int threads_;
  std::size_t size_ = 0;
  std::vector<Layer> layers_;
  std::vector<std::vector<Work>> work_;  // of each layer
  std::size_t rows_reserved_ = 0;
  AlignedArray<T> features_;              // of the batch, in panels
  std::vector<std::int32_t> labels_;      // [rows]
  std::vector<AlignedArray<T>> outputs_;  // one a layer, in panels; then its deltas
  std::vector<AlignedArray<T>> back_;     // weights for the way back, of layer 1 on; of batch()
  std::size_t largest_piece_ = 0;
  AlignedArray<T> pieces_;   // of the descent, one a thread; of batch()
  AlignedArray<T> scratch_;  // a panel, or softmax's columns
};

extern template class BatchKernel<float>;
extern template class BatchKernel<double>;

}  // namespace gradmill::ml
