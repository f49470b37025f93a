#include "ml/batch_trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "ml/delta.h"
#include "ml/full_batch.h"
#include "ml/parameter_bytes.h"
#include "ml/row_order.h"
#include "ml/schedule.h"

namespace gradmill::ml {

template <class T>
BatchTrainer<T>::BatchTrainer(const TrainingRule& rule, int threads)
    : rule_(rule),
      kernel_(rule.topology, rule.activation, rule.label_smoothing, threads),
      optimizer_(rule.optimizer, kernel_.size()),
      block_(kernel_.size()) {}

template <class T>
T* BatchTrainer<T>::whole_descent() {
  if (descent_.size() == 0) {
    descent_ = AlignedArray<T>(kernel_.size());
  }
  return descent_.data();
}

template <class T>
bool BatchTrainer<T>::suits(const TrainingRule& rule) const {
  return rule.topology == rule_.topology && rule.activation == rule_.activation &&
         rule.label_smoothing == rule_.label_smoothing && rule.optimizer == rule_.optimizer;
}

template <class T>
TrainingResult BatchTrainer<T>::train(const TrainingRule& rule,
                                      const SampleRows<T>& samples,
                                      std::string_view parameters,
                                      const TaskPosition& position,
                                      const std::stop_token& stop) {
  const std::vector<T> start = parameters_from<T>(parameters);
  kernel_.import_parameters(start, block_.data());
  TrainingResult result = rule.optimizer == Optimizer::kGd
                              ? descend(rule, samples, stop)
                              : step_by_batch(rule, samples, position, stop);
  std::vector<T> end(start.size());
  kernel_.export_parameters(block_.data(), end);
  set_delta<T>(result, start, end);
  return result;
}

template <class T>
TrainingResult BatchTrainer<T>::descend(const TrainingRule& rule,
                                        const SampleRows<T>& samples,
                                        const std::stop_token& stop) {
  std::vector<std::uint32_t> all(samples.rows());
  std::iota(all.begin(), all.end(), 0U);
  whole_descent();
  return descend_full_batches<T>(rule, block_.span(), descent_.span(), stop, [&] {
    return kernel_.batch(samples, all, block_.data(), descent_.data(), [](const auto&) {});
  });
}

template <class T>
TrainingResult BatchTrainer<T>::step_by_batch(const TrainingRule& rule,
                                              const SampleRows<T>& samples,
                                              const TaskPosition& position,
                                              const std::stop_token& stop) {
  const auto rows = static_cast<std::uint32_t>(samples.rows());
  const std::uint32_t batch_size = std::min(rows, rule.batch_size);
  const std::uint64_t steps_per_epoch = RowOrder::steps_per_epoch(rows, batch_size);
  const std::uint64_t steps =
      rule.steps_per_round > 0 ? rule.steps_per_round : rule.epochs * steps_per_epoch;
  RowOrder order(rule.seed, position.shard, rows, batch_size, (position.round - 1) * steps);
  optimizer_.start(rule);
  const typename BatchKernel<T>::Step step = [&](const typename BatchKernel<T>::Piece& piece) {
    optimizer_.step_piece(block_.data(), piece.descent, piece.offset, piece.size, piece.is_weight);
  };
  T* const descent = batch_size > BatchKernel<T>::kRowsAtOnce ? whole_descent() : nullptr;
  TrainingResult result;
  std::uint64_t seen = 0;
  for (; result.steps < steps; ++result.steps) {
    if (stop.stop_requested()) {
      result.cancelled = true;
      return result;
    }
    const std::span<const std::uint32_t> batch = order.next();
    optimizer_.begin_step(
        schedule_factor(rule.schedule, schedule_position(position, result.steps, steps)),
        batch.size());
    result.loss += kernel_.batch(samples, batch, block_.data(), descent, step);
    seen += batch.size();
    if (!std::isfinite(result.loss)) {
      result.diverged = true;
      return result;
    }
  }
  result.loss *= static_cast<double>(rows) / static_cast<double>(seen);
  result.epochs = static_cast<std::uint32_t>(steps / steps_per_epoch);
  return result;
}

template <class T>
std::vector<std::int32_t> BatchTrainer<T>::classify(const SampleRows<T>& samples,
                                                    std::string_view parameters) {
  kernel_.import_parameters(parameters_from<T>(parameters), block_.data());
  std::vector<std::int32_t> classes(samples.rows());
  kernel_.classify(samples, block_.data(), classes);
  return classes;
}

template <class T>
std::size_t BatchTrainer<T>::count_errors(const SampleRows<T>& samples,
                                          std::string_view parameters) {
  kernel_.import_parameters(parameters_from<T>(parameters), block_.data());
  return kernel_.count_errors(samples, block_.data());
}

template class BatchTrainer<float>;
template class BatchTrainer<double>;

}  // namespace gradmill::ml
