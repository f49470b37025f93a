// What a task returns: new parameters minus old.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "ml/parameter_bytes.h"
#include "ml/server_optimizer.h"
#include "ml/training_result.h"

namespace gradmill::ml {

/// Sets the result's delta from `parameters`, which become it, unless the training came to nothing.
template <class T>
void set_delta(TrainingResult& result, std::span<const T> start, std::span<T> parameters) {
  if (result.cancelled || result.diverged) {
    return;
  }
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    parameters[k] -= start[k];
  }
  std::string delta = bytes_from<T>(parameters);
  result.diverged =
      !all_finite(delta, sizeof(T) == sizeof(float) ? Precision::kFloat : Precision::kDouble);
  if (!result.diverged) {
    result.delta = std::move(delta);
  }
}

}  // namespace gradmill::ml
