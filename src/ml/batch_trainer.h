// Training and counting errors with a BatchKernel.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string_view>

#include "ml/aligned.h"
#include "ml/batch_kernel.h"
#include "ml/optimizer.h"
#include "ml/sample_rows.h"
#include "ml/training_result.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// Does the tasks of jobs that share a network and an optimiser; their memory stays from one task
/// to the next. Not thread-safe.
template <class T>
class BatchTrainer {
 public:
  BatchTrainer(const TrainingRule& rule, int threads);

  /// Whether tasks of `rule` can be done here.
  [[nodiscard]] bool suits(const TrainingRule& rule) const;

  /// See train_shard() and count_errors().
  [[nodiscard]] TrainingResult train(const TrainingRule& rule,
                                     const SampleRows<T>& samples,
                                     std::string_view parameters,
                                     const TaskPosition& position,
                                     const std::stop_token& stop);
  [[nodiscard]] std::vector<std::int32_t> classify(const SampleRows<T>& samples,
                                                   std::string_view parameters);
  [[nodiscard]] std::size_t count_errors(const SampleRows<T>& samples, std::string_view parameters);

 private:
  TrainingResult descend(const TrainingRule& rule,
                         const SampleRows<T>& samples,
                         const std::stop_token& stop);
  TrainingResult step_by_batch(const TrainingRule& rule,
                               const SampleRows<T>& samples,
                               const TaskPosition& position,
                               const std::stop_token& stop);
  T* whole_descent();

  TrainingRule rule_;  // of the network and the optimiser; what differs between jobs is not read
  BatchKernel<T> kernel_;
  BatchOptimizer<T> optimizer_;
  AlignedArray<T> block_;    // parameters
  AlignedArray<T> descent_;  // for batches that pass in parts, or none
};

extern template class BatchTrainer<float>;
extern template class BatchTrainer<double>;

}  // namespace gradmill::ml
