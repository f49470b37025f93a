#include "ml/trainer.h"

#include <variant>
#include <vector>

#include "ml/batch_trainer.h"
#include "ml/block_kernel.h"
#include "ml/delta.h"
#include "ml/full_batch.h"
#include "ml/parameter_bytes.h"

namespace gradmill::ml {

class Trainer::Kept {
 public:
  explicit Kept(int threads) : threads_(threads) {}

  template <class T>
  [[nodiscard]] TrainingResult train(const TrainingRule& rule,
                                     const SampleBlocks<T>& samples,
                                     std::string_view bytes,
                                     const TaskPosition& /*position*/,
                                     const std::stop_token& stop) const {
    const std::vector<T> start = parameters_from<T>(bytes);
    std::vector<T> parameters = start;
    std::vector<T> descent(parameters.size());
    BlockKernel<T> kernel(rule.topology, rule.activation, threads_);
    TrainingResult result = descend_full_batches<T>(
        rule, parameters, descent, stop, [&] { return kernel.pass(samples, parameters, descent); });
    set_delta<T>(result, start, parameters);
    return result;
  }
  template <class T>
  [[nodiscard]] TrainingResult train(const TrainingRule& rule,
                                     const SampleRows<T>& samples,
                                     std::string_view bytes,
                                     const TaskPosition& position,
                                     const std::stop_token& stop) {
    return batches<T>(rule).train(rule, samples, bytes, position, stop);
  }

  template <class T>
  [[nodiscard]] std::size_t count_errors(const TrainingRule& rule,
                                         const SampleBlocks<T>& samples,
                                         std::string_view bytes) const {
    BlockKernel<T> kernel(rule.topology, rule.activation, threads_);
    return kernel.count_errors(samples, parameters_from<T>(bytes));
  }
  template <class T>
  [[nodiscard]] std::size_t count_errors(const TrainingRule& rule,
                                         const SampleRows<T>& samples,
                                         std::string_view bytes) {
    return batches<T>(rule).count_errors(samples, bytes);
  }

  template <class T>
  [[nodiscard]] std::vector<ClassifiedRow> classify(const TrainingRule& rule,
                                                    const SampleBlocks<T>& samples,
                                                    std::string_view bytes) const {
    BlockKernel<T> kernel(rule.topology, rule.activation, threads_);
    std::vector<std::int32_t> classes(samples.rows());
    kernel.classify(samples, parameters_from<T>(bytes), classes);
    return beside(samples.labels_of(0), classes);
  }
  template <class T>
  [[nodiscard]] std::vector<ClassifiedRow> classify(const TrainingRule& rule,
                                                    const SampleRows<T>& samples,
                                                    std::string_view bytes) {
    return beside(samples.labels(), batches<T>(rule).classify(samples, bytes));
  }

 private:
  static std::vector<ClassifiedRow> beside(const std::int32_t* labels,
                                           const std::vector<std::int32_t>& classes) {
    std::vector<ClassifiedRow> rows(classes.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      rows[row] = {labels[row], classes[row]};
    }
    return rows;
  }

  template <class T>
  BatchTrainer<T>& batches(const TrainingRule& rule) {
    auto* const last = std::get_if<BatchTrainer<T>>(&last_);
    if (last != nullptr && last->suits(rule)) {
      return *last;
    }
    return last_.emplace<BatchTrainer<T>>(rule, threads_);
  }

  int threads_;
  std::variant<std::monostate, BatchTrainer<float>, BatchTrainer<double>> last_;
};

Trainer::Trainer(int threads) : kept_(std::make_unique<Kept>(threads)) {}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

TrainingResult Trainer::train(const TrainingRule& rule,
                              const Samples& samples,
                              std::string_view parameters,
                              const TaskPosition& position,
                              const std::stop_token& stop) {
  return std::visit(
      [&](const auto& layout) { return kept_->train(rule, layout, parameters, position, stop); },
      samples.layout);
}

std::vector<ClassifiedRow> Trainer::classify(const TrainingRule& rule,
                                             const Samples& samples,
                                             std::string_view parameters) {
  return std::visit([&](const auto& layout) { return kept_->classify(rule, layout, parameters); },
                    samples.layout);
}

std::size_t Trainer::count_errors(const TrainingRule& rule,
                                  const Samples& samples,
                                  std::string_view parameters) {
  return std::visit(
      [&](const auto& layout) { return kept_->count_errors(rule, layout, parameters); },
      samples.layout);
}

}  // namespace gradmill::ml
