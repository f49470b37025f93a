// The course's rule, over whatever computes the gradient.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "ml/flush_subnormals.h"
#include "ml/training_result.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// kGd on parameters of any layout: `pass` overwrites the descent and returns the loss.
template <class T, class Pass>
[[nodiscard]] TrainingResult descend_full_batches(const TrainingRule& rule,
                                                  std::span<T> parameters,
                                                  std::span<const T> descent,
                                                  const std::stop_token& stop,
                                                  const Pass& pass) {
  const FlushSubnormals flush;
  const T eta = static_cast<T>(rule.eta);
  TrainingResult result;
  for (std::uint32_t epoch = 0; epoch < rule.epochs; ++epoch) {
    if (stop.stop_requested()) {
      result.cancelled = true;
      return result;
    }
    const double loss = pass();
    if (!std::isfinite(loss)) {
      result.diverged = true;
      return result;
    }
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
    ++result.steps;
  }
  return result;
}

}  // namespace gradmill::ml
