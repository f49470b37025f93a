// From the job's words to the kernels'.
#pragma once

#include "ml/kernel/kernel_table.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// The kernels' function for hidden units.
[[nodiscard]] constexpr UnitFunction unit_function_of(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return UnitFunction::kRelu;
    case Activation::kTanh:
      return UnitFunction::kTanh;
    case Activation::kSigmoid:
      return UnitFunction::kSigmoid;
    case Activation::kMlPy:
      return UnitFunction::kMlPy;
  }
  return UnitFunction::kIdentity;
}

/// What the output layer is trained towards.
template <class T>
[[nodiscard]] Targets<T> targets_of(double label_smoothing, std::size_t classes) {
  const double off = label_smoothing / static_cast<double>(classes);
  return {static_cast<T>(1 - label_smoothing + off), static_cast<T>(off)};
}

}  // namespace gradmill::ml
