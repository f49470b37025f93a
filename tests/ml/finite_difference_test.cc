// The kernel's gradient against central differences of the loss, for every parameter of small nets.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/gradient.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

/// What a plain forward pass of a relu perceptron finds.
struct Forward {
  double loss = 0;         ///< Summed -log(probability of the label), without a floor.
  double least_sum = 1e9;  ///< The hidden sum closest to zero, where relu has its kink.
};

Forward forward(const Topology& topology, const Shard& shard, const std::vector<double>& p) {
  Forward result;
  for (std::size_t row = 0; row < shard.rows; ++row) {
    std::vector<double> x;
    for (std::size_t i = 0; i < shard.features; ++i) {
      x.push_back(shard.value(row, i));
    }
    for (const LayerView& layer : layer_views(topology)) {
      std::vector<double> sums(p.begin() + static_cast<std::ptrdiff_t>(layer.bias),
                               p.begin() + static_cast<std::ptrdiff_t>(layer.bias + layer.out));
      for (std::size_t o = 0; o < layer.out; ++o) {
        for (std::size_t i = 0; i < layer.in; ++i) {
          sums[o] += p[layer.weight + o * layer.in + i] * x[i];
        }
      }
      if (layer.bias + layer.out < p.size()) {
        for (double& sum : sums) {
          result.least_sum = std::min(result.least_sum, std::fabs(sum));
          sum = std::max(sum, 0.0);
        }
      }
      x = sums;
    }
    double total = 0;
    for (const double logit : x) {
      total += std::exp(logit);
    }
    result.loss += std::log(total) - x[shard.labels[row]];
  }
  return result;
}

void expect_differences(const Topology& topology, std::uint32_t rows) {
  const double step = 1e-5;
  const Shard shard = random_shard(rows, topology, 71);
  // The first seed whose hidden sums all stay on their side of the kink.
  std::uint32_t seed = 72;
  std::vector<double> parameters = random_parameters<double>(topology, 1, seed);
  while (forward(topology, shard, parameters).least_sum < 100 * step) {
    parameters = random_parameters<double>(topology, 1, ++seed);
    ASSERT_LT(seed, 1000);
  }
  std::vector<double> descent(parameters.size());
  const double loss =
      GradientKernel<double>(topology, Activation::kRelu, 1)
          .pass(SampleBlocks<double>(shard, block_rows(topology)), parameters, descent);
  // The floor of 1e-6 takes at most 1e-6 / probability of a row's loss.
  EXPECT_NEAR(loss, forward(topology, shard, parameters).loss, 1e-4 * rows);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    std::vector<double> moved = parameters;
    moved[k] = parameters[k] + step;
    const double above = forward(topology, shard, moved).loss;
    moved[k] = parameters[k] - step;
    const double below = forward(topology, shard, moved).loss;
    // Truncation is of order step^2 a row, rounding of order 1e-16 / step.
    EXPECT_NEAR(descent[k], -(above - below) / (2 * step), 1e-8 * rows) << "parameter " << k;
  }
}

TEST(FiniteDifferences, AgreeWithoutAHiddenLayer) { expect_differences({{3, 4}}, 20); }

TEST(FiniteDifferences, AgreeForOneHiddenLayer) { expect_differences({{3, 5, 4}}, 20); }

TEST(FiniteDifferences, AgreeForTwoHiddenLayers) { expect_differences({{3, 5, 4, 3}}, 12); }

TEST(FiniteDifferences, AgreeForThreeHiddenLayers) { expect_differences({{2, 3, 4, 3, 2}}, 8); }

}  // namespace
}  // namespace gradmill::ml
