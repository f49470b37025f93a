// A task's optimiser: from the descent of a batch to new parameters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/aligned.h"
#include "ml/kernel/kernels.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// kSgd, kMomentum or kAdam over a flat block of parameters. start() for each task, then
/// begin_step() for each step and step_piece() for each part of the block, which different threads
/// may call for different parts.
template <class T>
class BatchOptimizer {
 public:
  BatchOptimizer(Optimizer optimizer, std::size_t size, const Kernels& set = kernels());

  /// Starts from a zero state, with the numbers of `rule`, whose optimiser this is.
  void start(const TrainingRule& rule);

  /// Starts a step with eta times `factor`, on descents that are sums over `rows` rows.
  void begin_step(double factor, std::size_t rows);
  /// Moves parameters [offset, offset + size) of a whole block by minus their gradient, which
  /// `descent` [size] has. Weight decay applies if `decays`.
  void step_piece(
      T* parameters, const T* descent, std::size_t offset, std::size_t size, bool decays);

 private:
  const KernelTable<T>& table_;
  Optimizer optimizer_;
  double eta_ = 0;
  double weight_decay_ = 0;
  T momentum_ = 0;
  AlignedArray<T> first_;   // velocity, or first moment
  AlignedArray<T> second_;  // second moment
  double beta1_power_ = 1;
  double beta2_power_ = 1;
  T step_eta_ = 0;
  T keep_ = 1;
  T scale_ = 1;
  AdamStep<T> adam_{};
};

extern template class BatchOptimizer<float>;
extern template class BatchOptimizer<double>;

}  // namespace gradmill::ml
