// Tasks and validations one after the other, with memory that stays between them.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>

#include "ml/samples.h"
#include "ml/training_result.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

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
  [[nodiscard]] std::size_t count_errors(const TrainingRule& rule,
                                         const Samples& samples,
                                         std::string_view parameters);

 private:
  class Kept;
  std::unique_ptr<Kept> kept_;
};

}  // namespace gradmill::ml
