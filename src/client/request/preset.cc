#include "client/request/preset.h"

#include <array>

namespace gradmill::client {

std::span<const Preset> presets() {
  static const std::array<Preset, 2> all = {{
      {.name = "fast",
       .rounds = 62,
       .epochs = 0,
       .steps_per_round = 9,
       .hidden = {256, 128},
       .activation = ml::Activation::kRelu,
       .standardize = true,
       .optimizer = ml::Optimizer::kMomentum,
       .eta = 0.6,
       .batch_size = 32,
       .momentum = 0.8,
       .weight_decay = 0,
       .label_smoothing = 0.05,
       .schedule = ml::Schedule::kOneCycle,
       .server = {ml::ServerOptimizer::kMomentum, 1, 0.7},
       .validate_every = 4},
      {.name = "accurate",
       .rounds = 160,
       .epochs = 0,
       .steps_per_round = 12,
       .hidden = {512, 256},
       .activation = ml::Activation::kRelu,
       .standardize = true,
       .optimizer = ml::Optimizer::kMomentum,
       .eta = 1,
       .batch_size = 32,
       .momentum = 0.7,
       .weight_decay = 0.0005,
       .label_smoothing = 0.1,
       .schedule = ml::Schedule::kOneCycle,
       .server = {ml::ServerOptimizer::kMomentum, 1.2, 0.7},
       .validate_every = 8},
  }};
  return all;
}

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : presets()) {
    names.push_back(preset.name);
  }
  return names;
}

}  // namespace gradmill::client
