// Losses and gradients of both kernels and of their twin, all in the layout of layer_views().
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/batch_kernel.h"
#include "ml/block_kernel.h"
#include "ml/gradient_naive.h"
#include "ml/plain_forward.h"
#include "ml/random_shard.h"

namespace gradmill::ml {

inline constexpr Activation kActivations[] = {
    Activation::kRelu, Activation::kTanh, Activation::kSigmoid, Activation::kMlPy};

inline const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kTanh:
      return "tanh";
    case Activation::kSigmoid:
      return "sigmoid";
    case Activation::kMlPy:
      return "ml-py";
  }
  return "?";
}

struct Net {
  Topology topology;
  Activation activation = Activation::kRelu;
  double label_smoothing = 0;
};

inline std::string name_of(const Net& net, std::uint32_t rows) {
  std::string name = name_of(net.activation);
  for (const std::uint32_t units : net.topology.units) {
    name += " " + std::to_string(units);
  }
  return name + ", smoothing " + std::to_string(net.label_smoothing) + ", rows " +
         std::to_string(rows);
}

template <class T>
struct Gradient {
  double loss = 0;
  std::vector<T> descent;
  friend bool operator==(const Gradient&, const Gradient&) = default;
};

inline Gradient<double> naive_gradient(const Net& net,
                                       const Shard& shard,
                                       const std::vector<double>& parameters) {
  Gradient<double> result{0, std::vector<double>(parameters.size())};
  result.loss = gradient_naive<double>(
      net.topology, net.activation, net.label_smoothing, shard, parameters, result.descent);
  return result;
}

/// The twin's answer in double, whatever the precision of the parameters.
inline Gradient<double> naive_gradient(const Net& net,
                                       const Shard& shard,
                                       const std::vector<float>& parameters) {
  return naive_gradient(net, shard, std::vector<double>(parameters.begin(), parameters.end()));
}

template <class T>
Gradient<T> block_gradient(const Net& net,
                           const Shard& shard,
                           const std::vector<T>& parameters,
                           int threads = 1,
                           const Kernels& set = kernels()) {
  Gradient<T> result{0, std::vector<T>(parameters.size(), T(99))};
  BlockKernel<T> kernel(net.topology, net.activation, threads, set);
  result.loss = kernel.pass(SampleBlocks<T>(shard, {}), parameters, result.descent);
  return result;
}

inline std::vector<std::uint32_t> all_rows(const Shard& shard) {
  std::vector<std::uint32_t> rows(shard.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

/// Of the given rows of a shard, without a step.
template <class T>
Gradient<T> batch_gradient(const Net& net,
                           const Shard& shard,
                           const std::vector<std::uint32_t>& rows,
                           const std::vector<T>& parameters,
                           int threads = 1,
                           const Kernels& set = kernels()) {
  BatchKernel<T> kernel(net.topology, net.activation, net.label_smoothing, threads, set);
  AlignedArray<T> block(kernel.size());
  AlignedArray<T> descent(kernel.size());
  std::fill_n(descent.data(), descent.size(), T(99));
  kernel.import_parameters(parameters, block.data());
  Gradient<T> result{0, std::vector<T>(parameters.size(), T(99))};
  result.loss = kernel.batch(
      SampleRows<T>(shard, {}), rows, block.data(), descent.data(), [](const auto& /*piece*/) {});
  kernel.export_parameters(descent.data(), result.descent);
  return result;
}

/// The given rows of `shard` as a shard of their own.
inline Shard shard_of_rows(const Shard& shard, const std::vector<std::uint32_t>& rows) {
  Shard result = shard;
  result.rows = static_cast<std::uint32_t>(rows.size());
  result.labels.clear();
  std::vector<float> values;
  for (const std::uint32_t row : rows) {
    result.labels.push_back(shard.labels[row]);
    for (std::size_t feature = 0; feature < shard.features; ++feature) {
      values.push_back(shard.value(row, feature));
    }
  }
  result.values = std::move(values);
  return result;
}

/// Weights and biases that keep the sums of every layer around one.
template <class T>
std::vector<T> sound_parameters(const Topology& topology, std::uint32_t seed) {
  Draw draw(seed);
  std::vector<T> parameters(parameter_count(topology));
  for (const LayerView& layer : layer_views(topology)) {
    const double range = 2.5 / std::sqrt(layer.in);
    for (std::size_t k = layer.weight; k < layer.bias; ++k) {
      parameters[k] = static_cast<T>(draw.between(-range, range));
    }
    for (std::size_t k = layer.bias; k < layer.bias + layer.out; ++k) {
      parameters[k] = static_cast<T>(draw.between(-1, 1));
    }
  }
  return parameters;
}

/// Rounding errors of a sum of rows through a net, in units of T: one for each term of each sum.
template <class T>
double rounding(const Topology& topology, std::uint32_t rows) {
  const double terms =
      std::accumulate(topology.units.begin(), topology.units.end(), static_cast<double>(rows));
  return terms * static_cast<double>(std::numeric_limits<T>::epsilon());
}

/// A shard none of whose hidden sums is so close to a kink that rounding could take it across.
template <class T>
Shard shard_off_kinks(std::uint32_t rows,
                      const Net& net,
                      const std::vector<T>& parameters,
                      std::uint32_t seed) {
  Shard shard = random_shard(rows, net.topology, seed);
  Draw draw(seed + 1);
  const double margin = 10 * rounding<T>(net.topology, 1);
  for (std::uint32_t row = 0; row < rows; ++row) {
    while (plain_forward(net.topology, net.activation, shard, row, parameters).least_sum < margin) {
      for (std::size_t feature = 0; feature < shard.features; ++feature) {
        std::get<std::vector<float>>(shard.values)[row * shard.features + feature] =
            static_cast<float>(draw.between(-1, 1));
      }
    }
  }
  return shard;
}

/// One rounding error a term, of the layer's largest element or of the 1 in 1 - probability. A lost
/// or doubled row is far beyond it in double.
template <class T>
void expect_near_twin(const Gradient<T>& actual,
                      const Gradient<double>& expected,
                      const Topology& topology,
                      std::uint32_t rows) {
  const double tolerance = rounding<T>(topology, rows);
  EXPECT_NEAR(actual.loss, expected.loss, tolerance * std::max(1.0, expected.loss));
  for (const LayerView& layer : layer_views(topology)) {
    const std::size_t end = layer.bias + layer.out;
    double largest = 1;
    for (std::size_t k = layer.weight; k < end; ++k) {
      largest = std::max(largest, std::fabs(expected.descent[k]));
    }
    for (std::size_t k = layer.weight; k < end; ++k) {
      ASSERT_NEAR(static_cast<double>(actual.descent[k]), expected.descent[k], tolerance * largest)
          << "parameter " << k;
    }
  }
}

}  // namespace gradmill::ml
