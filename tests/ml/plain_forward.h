// A perceptron's forward pass by plain loops in double, for tests: a second twin that shares
// nothing with the kernels or with gradient_naive.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ml/shard.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// What one row comes to.
struct PlainRow {
  std::vector<double> logits;
  double least_sum = 1e9;  ///< The hidden sum closest to zero, where relu and ml-py have a kink.
};

inline double plain_unit(Activation activation, double sum) {
  switch (activation) {
    case Activation::kRelu:
      return std::max(sum, 0.0);
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
PlainRow plain_forward(const Topology& topology,
                       Activation activation,
                       const Shard& shard,
                       std::size_t row,
                       const std::vector<T>& parameters) {
  PlainRow result;
  for (std::size_t i = 0; i < shard.features; ++i) {
    result.logits.push_back(static_cast<double>(shard.value(row, i)));
  }
  for (const LayerView& layer : layer_views(topology)) {
    std::vector<double> sums(layer.out);
    for (std::size_t o = 0; o < layer.out; ++o) {
      sums[o] = static_cast<double>(parameters[layer.bias + o]);
      for (std::size_t i = 0; i < layer.in; ++i) {
        sums[o] +=
            static_cast<double>(parameters[layer.weight + o * layer.in + i]) * result.logits[i];
      }
    }
    if (layer.bias + layer.out < parameters.size()) {
      for (double& sum : sums) {
        result.least_sum = std::min(result.least_sum, std::fabs(sum));
        sum = plain_unit(activation, sum);
      }
    }
    result.logits = sums;
  }
  return result;
}

}  // namespace gradmill::ml
