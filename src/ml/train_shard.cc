#include "ml/train_shard.h"

#include "ml/initial_parameters.h"
#include "ml/parameter_bytes.h"
#include "ml/trainer.h"

namespace gradmill::ml {

TrainingResult train_shard(const TrainingRule& rule,
                           const Samples& samples,
                           std::string_view parameters,
                           const TaskPosition& position,
                           int threads,
                           const std::stop_token& stop) {
  return Trainer(threads).train(rule, samples, parameters, position, stop);
}

std::size_t count_errors(const TrainingRule& rule,
                         const Samples& samples,
                         std::string_view parameters,
                         int threads) {
  return Trainer(threads).count_errors(rule, samples, parameters);
}

std::string initial_parameter_bytes(const TrainingRule& rule) {
  return rule.precision == Precision::kDouble ? bytes_from<double>(initial_parameters<double>(rule))
                                              : bytes_from<float>(initial_parameters<float>(rule));
}

}  // namespace gradmill::ml
