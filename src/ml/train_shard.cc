#include "ml/train_shard.h"

#include <cmath>
#include <span>
#include <vector>

#include "ml/gradient.h"
#include "ml/initial_parameters.h"
#include "ml/parameter_bytes.h"

namespace gradmill::ml {
namespace {

template <class T>
TrainingResult descend(const TrainingRule& rule,
                       const SampleBlocks<T>& samples,
                       std::string_view bytes,
                       int threads,
                       const std::stop_token& stop) {
  const std::vector<T> start = parameters_from<T>(bytes);
  std::vector<T> parameters = start;
  std::vector<T> descent(parameters.size());
  GradientKernel<T> kernel(rule.topology, rule.activation, threads);
  const T eta = static_cast<T>(rule.eta);
  TrainingResult result;
  for (std::uint32_t epoch = 0; epoch < rule.epochs; ++epoch) {
    if (stop.stop_requested()) {
      result.cancelled = true;
      return result;
    }
    const double loss = kernel.pass(samples, parameters, descent);
    const bool settled = epoch > 0 && rule.min_loss_change > 0 &&
                         std::abs(result.loss - loss) <= rule.min_loss_change;
    result.loss = loss;
    if (settled) {
      break;
    }
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      parameters[k] += eta * descent[k];
    }
    ++result.epochs;
  }
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    parameters[k] -= start[k];
  }
  result.delta = bytes_from<T>(parameters);
  return result;
}

}  // namespace

Samples prepare_samples(const Shard& shard, const TrainingRule& rule) {
  const std::size_t rows = block_rows(rule.topology);
  if (rule.precision == Precision::kDouble) {
    return SampleBlocks<double>(shard, rows);
  }
  return SampleBlocks<float>(shard, rows);
}

TrainingResult train_shard(const TrainingRule& rule,
                           const Samples& samples,
                           std::string_view parameters,
                           int threads,
                           const std::stop_token& stop) {
  return std::visit(
      [&](const auto& blocks) { return descend(rule, blocks, parameters, threads, stop); },
      samples);
}

std::size_t count_errors(const TrainingRule& rule,
                         const Samples& samples,
                         std::string_view parameters,
                         int threads) {
  const auto count = [&]<class T>(const SampleBlocks<T>& blocks) {
    GradientKernel<T> kernel(rule.topology, rule.activation, threads);
    return kernel.count_errors(blocks, parameters_from<T>(parameters));
  };
  return std::visit(count, samples);
}

std::string initial_parameter_bytes(const TrainingRule& rule) {
  if (rule.precision == Precision::kDouble) {
    return bytes_from<double>(initial_parameters<double>(rule.topology, rule.seed));
  }
  return bytes_from<float>(initial_parameters<float>(rule.topology, rule.seed));
}

}  // namespace gradmill::ml
