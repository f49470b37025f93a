// The names of a rule's choices, as users write them and digests and models hold them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/check.h"
#include "ml/activation_name.h"
#include "ml/server_optimizer.h"
#include "ml/training_rule.h"

namespace gradmill {

using ml::kActivationNames;
using ml::name_of;

// Each in the order of its enumeration.
inline constexpr std::array<std::string_view, 2> kPrecisionNames = {"float", "double"};
inline constexpr std::array<std::string_view, 4> kOptimizerNames = {
    "gd", "sgd", "momentum", "adam"};
inline constexpr std::array<std::string_view, 3> kScheduleNames = {
    "constant", "cosine", "one-cycle"};
inline constexpr std::array<std::string_view, 3> kServerOptimizerNames = {
    "average", "momentum", "adam"};

[[nodiscard]] constexpr std::string_view name_of(ml::Precision precision) {
  return kPrecisionNames[static_cast<std::size_t>(precision)];
}
[[nodiscard]] constexpr std::string_view name_of(ml::Optimizer optimizer) {
  return kOptimizerNames[static_cast<std::size_t>(optimizer)];
}
[[nodiscard]] constexpr std::string_view name_of(ml::Schedule schedule) {
  return kScheduleNames[static_cast<std::size_t>(schedule)];
}
[[nodiscard]] constexpr std::string_view name_of(ml::ServerOptimizer optimizer) {
  return kServerOptimizerNames[static_cast<std::size_t>(optimizer)];
}

/// The value of enumeration E whose name is `name`, which is one of `names`.
template <class E>
[[nodiscard]] E named(std::string_view name, std::span<const std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), name);
  GRADMILL_CHECK(found != names.end());
  return static_cast<E>(found - names.begin());
}

}  // namespace gradmill
