// Recipes: a good model without knowing what any of it means.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ml/server_optimizer.h"
#include "ml/training_rule.h"

namespace gradmill::client {

/// A whole recipe, chosen on training shards held out in turn; it suits any data set of about the
/// size of the letters. What the user says wins over each field.
struct Preset {
  std::string_view name;
  std::uint32_t rounds = 0;
  std::uint32_t epochs = 0;           ///< A round; 0 where steps are given.
  std::uint32_t steps_per_round = 0;  ///< 0 where epochs are given.
  std::vector<std::uint32_t> hidden;
  ml::Activation activation = ml::Activation::kRelu;
  bool standardize = false;
  ml::Optimizer optimizer = ml::Optimizer::kMomentum;  ///< Never kGd.
  double eta = 0;
  std::uint32_t batch_size = 0;
  double momentum = 0;
  double weight_decay = 0;
  double label_smoothing = 0;
  ml::Schedule schedule = ml::Schedule::kConstant;
  ml::ServerRule server;
  std::uint32_t validate_every = 1;  ///< Rounds.
};

/// The presets, all with different names.
[[nodiscard]] std::span<const Preset> presets();

/// Of all presets, in their order.
[[nodiscard]] std::vector<std::string_view> preset_names();

}  // namespace gradmill::client
