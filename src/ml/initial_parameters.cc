#include "ml/initial_parameters.h"

#include <cstddef>
#include <random>

namespace gradmill::ml {
namespace {

/// A double in [0, 1) of 53 bits from two outputs of the generator.
double uniform(std::mt19937& generator) {
  const auto high = static_cast<std::uint32_t>(generator() >> 5U);
  const auto low = static_cast<std::uint32_t>(generator() >> 6U);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

}  // namespace

template <class T>
std::vector<T> initial_parameters(const Topology& topology, std::uint64_t seed) {
  std::mt19937 generator(static_cast<std::uint32_t>(seed));
  std::vector<T> parameters(parameter_count(topology));
  const std::vector<LayerView> layers = layer_views(topology);
  const auto draw = [&] { return static_cast<T>(uniform(generator) * 0.02 - 0.01); };
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    for (std::size_t out = 0; out < layer->out; ++out) {
      parameters[layer->bias + out] = draw();
    }
    for (std::size_t in = 0; in < layer->in; ++in) {
      for (std::size_t out = 0; out < layer->out; ++out) {
        parameters[layer->weight + out * layer->in + in] = draw();
      }
    }
  }
  return parameters;
}

template std::vector<float> initial_parameters(const Topology&, std::uint64_t);
template std::vector<double> initial_parameters(const Topology&, std::uint64_t);

}  // namespace gradmill::ml
