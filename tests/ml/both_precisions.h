// Typed test suites over the two precisions: TYPED_TEST_SUITE(Fixture, Precisions, PrecisionNames).
#pragma once

#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include "ml/training_rule.h"

namespace gradmill::ml {

using Precisions = testing::Types<float, double>;

struct PrecisionNames {
  template <class T>
  static std::string GetName(
      int /*index*/) {  // NOLINT(readability-identifier-naming): GTest's name
    return std::is_same_v<T, float> ? "float" : "double";
  }
};

template <class T>
inline constexpr Precision kPrecisionOf =
    std::is_same_v<T, float> ? Precision::kFloat : Precision::kDouble;

}  // namespace gradmill::ml
