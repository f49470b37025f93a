// Tasks and validations one after the other, with memory that stays between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "ml/samples.h"
#include "ml/training_result.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// A sample's class, and the one that a model puts it in.
struct ClassifiedRow {
  std::int32_t label = 0;
  std::int32_t predicted = 0;
};

/// train_shard() and count_errors() for one who calls them again and again, mostly for the same
/// job: keeps the workspaces of the last network. Not thread-safe.
class Trainer {
 public:
  /// Each call uses up to `threads` threads.
  explicit Trainer(int threads);
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;
  ~Trainer();

  [[nodiscard]] TrainingResult train(const TrainingRule& rule,
                                     const Samples& samples,
                                     std::string_view parameters,
                                     const TaskPosition& position,
                                     const std::stop_token& stop);
  /// One of each sample; count_errors() counts those that differ.
  [[nodiscard]] std::vector<ClassifiedRow> classify(const TrainingRule& rule,
                                                    const Samples& samples,
                                                    std::string_view parameters);
  [[nodiscard]] std::size_t count_errors(const TrainingRule& rule,
                                         const Samples& samples,
                                         std::string_view parameters);

 private:
  class Kept;
  std::unique_ptr<Kept> kept_;
};

}  // namespace gradmill::ml
