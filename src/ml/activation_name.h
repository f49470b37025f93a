// The names of the hidden units' functions, as users write them and models hold them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "ml/training_rule.h"

namespace gradmill::ml {

/// In the order of the enumeration.
inline constexpr std::array<std::string_view, 4> kActivationNames = {
    "relu", "tanh", "sigmoid", "ml-py"};

[[nodiscard]] constexpr std::string_view name_of(Activation activation) {
  return kActivationNames[static_cast<std::size_t>(activation)];
}

}  // namespace gradmill::ml
