#include "ml/initial_parameters.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

namespace gradmill::ml {
namespace {

/// A double in [0, 1) of 53 bits from two outputs of the generator.
double uniform(std::mt19937& generator) {
  const auto high = static_cast<std::uint32_t>(generator() >> 5U);
  const auto low = static_cast<std::uint32_t>(generator() >> 6U);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

/// Weights of layer n lie within this of 0.
double bound_of(const TrainingRule& rule, std::size_t n) {
  if (rule.optimizer == Optimizer::kGd) {
    return 0.01;
  }
  const double in = rule.topology.units[n];
  const double out = rule.topology.units[n + 1];
  const bool before_relu = rule.activation == Activation::kRelu && n + 1 < rule.topology.layers();
  return std::sqrt(6 / (before_relu ? in : in + out));
}

}  // namespace

template <class T>
std::vector<T> initial_parameters(const TrainingRule& rule) {
  std::mt19937 generator(static_cast<std::uint32_t>(rule.seed));
  std::vector<T> parameters(parameter_count(rule.topology));
  const std::vector<LayerView> layers = layer_views(rule.topology);
  const bool has_biases = rule.optimizer == Optimizer::kGd;
  for (std::size_t n = layers.size(); n-- > 0;) {
    const LayerView& layer = layers[n];
    const double bound = bound_of(rule, n);
    const auto draw = [&] { return static_cast<T>(uniform(generator) * (2 * bound) - bound); };
    for (std::size_t out = 0; out < layer.out; ++out) {
      parameters[layer.bias + out] = has_biases ? draw() : T(0);
    }
    for (std::size_t in = 0; in < layer.in; ++in) {
      for (std::size_t out = 0; out < layer.out; ++out) {
        parameters[layer.weight + out * layer.in + in] = draw();
      }
    }
  }
  return parameters;
}

template std::vector<float> initial_parameters(const TrainingRule&);
template std::vector<double> initial_parameters(const TrainingRule&);

}  // namespace gradmill::ml
