#include "ml/gradient_naive.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gradmill::ml {
namespace {

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
    input = sum;
    if (activation == Activation::kRelu) {
      std::for_each(input.begin(), input.end(), [](T& value) { value = std::max(value, T(0)); });
    }
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
                      const Shard& shard,
                      std::span<const T> parameters,
                      std::span<T> descent) {
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
      delta[c] = (c == shard.labels[row] ? T(1) : T(0)) - probabilities[c];
    }
    for (std::size_t n = layers.size(); n-- > 0;) {
      const LayerView& layer = layers[n];
      std::vector<T> back(layer.in);
      for (std::size_t o = 0; o < layer.out; ++o) {
        descent[layer.bias + o] += delta[o];
        for (std::size_t i = 0; i < layer.in; ++i) {
          T input = n == 0 ? features[i] : sums[n - 1][i];
          if (n > 0 && activation == Activation::kRelu) {
            input = std::max(input, T(0));
          }
          descent[layer.weight + o * layer.in + i] += delta[o] * input;
          back[i] += parameters[layer.weight + o * layer.in + i] * delta[o];
        }
      }
      for (std::size_t i = 0; n > 0 && i < layer.in; ++i) {
        back[i] = sums[n - 1][i] >= 0 ? back[i] : T(0);
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
    const Topology&, Activation, const Shard&, std::span<const float>, std::span<float>);
template double gradient_naive(
    const Topology&, Activation, const Shard&, std::span<const double>, std::span<double>);
template std::size_t count_errors_naive(const Topology&,
                                        Activation,
                                        const Shard&,
                                        std::span<const float>);
template std::size_t count_errors_naive(const Topology&,
                                        Activation,
                                        const Shard&,
                                        std::span<const double>);

}  // namespace gradmill::ml
