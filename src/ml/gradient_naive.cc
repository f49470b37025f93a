#include "ml/gradient_naive.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gradmill::ml {
namespace {

template <class T>
T unit(Activation activation, T sum) {
  switch (activation) {
    case Activation::kRelu:
      return std::max(sum, T(0));
    case Activation::kTanh:
      return std::tanh(sum);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-sum));
    case Activation::kMlPy:
      return sum;
  }
  return sum;
}

template <class T>
T derivative(Activation activation, T sum) {
  const T output = unit(activation, sum);
  switch (activation) {
    case Activation::kRelu:
    case Activation::kMlPy:
      return sum >= 0 ? T(1) : T(0);
    case Activation::kTanh:
      return 1 - output * output;
    case Activation::kSigmoid:
      return output * (1 - output);
  }
  return 0;
}

/// sums[n][o] = bias + weights * input of layer n, for one row; the logits are sums.back().
template <class T>
std::vector<std::vector<T>> forward_naive(const Topology& topology,
                                          Activation activation,
                                          std::span<const T> parameters,
                                          std::vector<T> input) {
  std::vector<std::vector<T>> sums;
  for (const LayerView& layer : layer_views(topology)) {
    std::vector<T> sum(layer.out);
    for (std::size_t o = 0; o < layer.out; ++o) {
      sum[o] = parameters[layer.bias + o];
      for (std::size_t i = 0; i < layer.in; ++i) {
        sum[o] += parameters[layer.weight + o * layer.in + i] * input[i];
      }
    }
    input.resize(sum.size());
    std::transform(
        sum.begin(), sum.end(), input.begin(), [&](T value) { return unit(activation, value); });
    sums.push_back(std::move(sum));
  }
  return sums;
}

template <class T>
std::vector<T> row_of(const Shard& shard, std::size_t row) {
  std::vector<T> values(shard.features);
  for (std::size_t feature = 0; feature < shard.features; ++feature) {
    values[feature] = static_cast<T>(shard.value(row, feature));
  }
  return values;
}

template <class T>
std::vector<T> softmax(std::vector<T> logits) {
  const T top = *std::max_element(logits.begin(), logits.end());
  T sum = 0;
  for (T& value : logits) {
    value = std::exp(value - top);
    sum += value;
  }
  for (T& value : logits) {
    value /= sum;
  }
  return logits;
}

}  // namespace

template <class T>
double gradient_naive(const Topology& topology,
                      Activation activation,
                      double label_smoothing,
                      const Shard& shard,
                      std::span<const T> parameters,
                      std::span<T> descent) {
  const double off = label_smoothing / topology.classes();
  const std::vector<LayerView> layers = layer_views(topology);
  std::fill(descent.begin(), descent.end(), T(0));
  double loss = 0;
  for (std::size_t row = 0; row < shard.rows; ++row) {
    const std::vector<T> features = row_of<T>(shard, row);
    const auto sums = forward_naive(topology, activation, parameters, features);
    const std::vector<T> probabilities = softmax(sums.back());
    loss -= std::log(probabilities[shard.labels[row]] + 1e-6);
    std::vector<T> delta(topology.classes());
    for (std::size_t c = 0; c < delta.size(); ++c) {
      const double target = off + (c == shard.labels[row] ? 1 - label_smoothing : 0);
      delta[c] = static_cast<T>(target) - probabilities[c];
    }
    for (std::size_t n = layers.size(); n-- > 0;) {
      const LayerView& layer = layers[n];
      std::vector<T> back(layer.in);
      for (std::size_t o = 0; o < layer.out; ++o) {
        descent[layer.bias + o] += delta[o];
        for (std::size_t i = 0; i < layer.in; ++i) {
          const T input = n == 0 ? features[i] : unit(activation, sums[n - 1][i]);
          descent[layer.weight + o * layer.in + i] += delta[o] * input;
          back[i] += parameters[layer.weight + o * layer.in + i] * delta[o];
        }
      }
      for (std::size_t i = 0; n > 0 && i < layer.in; ++i) {
        back[i] *= derivative(activation, sums[n - 1][i]);
      }
      delta = std::move(back);
    }
  }
  return loss;
}

template <class T>
std::size_t count_errors_naive(const Topology& topology,
                               Activation activation,
                               const Shard& shard,
                               std::span<const T> parameters) {
  std::size_t errors = 0;
  for (std::size_t row = 0; row < shard.rows; ++row) {
    const auto sums = forward_naive(topology, activation, parameters, row_of<T>(shard, row));
    const std::vector<T>& logits = sums.back();
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    errors += static_cast<std::size_t>(best) != shard.labels[row] ? 1U : 0U;
  }
  return errors;
}

template double gradient_naive(
    const Topology&, Activation, double, const Shard&, std::span<const float>, std::span<float>);
template double gradient_naive(
    const Topology&, Activation, double, const Shard&, std::span<const double>, std::span<double>);
template std::size_t count_errors_naive(const Topology&,
                                        Activation,
                                        const Shard&,
                                        std::span<const float>);
template std::size_t count_errors_naive(const Topology&,
                                        Activation,
                                        const Shard&,
                                        std::span<const double>);

}  // namespace gradmill::ml
