// The kernels' gradients against central differences of the loss, for every parameter of small
// nets.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/gradients.h"

namespace gradmill::ml {
namespace {

constexpr double kStep = 1e-5;

/// The sum over the rows and classes of -target * log(probability), without a floor.
double smoothed_loss(const Net& net, const Shard& shard, const std::vector<double>& parameters) {
  double loss = 0;
  const double classes = net.topology.classes();
  for (std::size_t row = 0; row < shard.rows; ++row) {
    const std::vector<double> logits =
        plain_forward(net.topology, net.activation, shard, row, parameters).logits;
    double total = 0;
    for (const double logit : logits) {
      total += std::exp(logit);
    }
    for (std::size_t c = 0; c < logits.size(); ++c) {
      const double one_hot = c == shard.labels[row] ? 1 : 0;
      const double target = (1 - net.label_smoothing) * one_hot + net.label_smoothing / classes;
      loss += target * (std::log(total) - logits[c]);
    }
  }
  return loss;
}

/// Whether a step of any parameter leaves every hidden sum on its side of the kink.
bool clear_of_kinks(const Net& net, const Shard& shard, const std::vector<double>& parameters) {
  for (std::size_t row = 0; row < shard.rows; ++row) {
    const PlainRow plain = plain_forward(net.topology, net.activation, shard, row, parameters);
    if (plain.least_sum < 100 * kStep) {
      return false;
    }
  }
  return true;
}

/// The differences of all parameters, at the first seed whose sums stay clear of the kinks.
void expect_differences(const Net& net, std::uint32_t rows) {
  SCOPED_TRACE(name_of(net, rows));
  const Shard shard = random_shard(rows, net.topology, 71);
  std::uint32_t seed = 72;
  std::vector<double> parameters = random_parameters<double>(net.topology, 1, seed);
  while (!clear_of_kinks(net, shard, parameters)) {
    parameters = random_parameters<double>(net.topology, 1, ++seed);
    ASSERT_LT(seed, 1000);
  }
  const auto batch = batch_gradient<double>(net, shard, all_rows(shard), parameters);
  const auto block = block_gradient<double>(net, shard, parameters);
  Net plain = net;
  plain.label_smoothing = 0;
  // The floor of 1e-6 takes at most 1e-6 / probability of a row's loss.
  EXPECT_NEAR(batch.loss, smoothed_loss(plain, shard, parameters), 1e-4 * rows);
  EXPECT_NEAR(block.loss, smoothed_loss(plain, shard, parameters), 1e-4 * rows);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    std::vector<double> moved = parameters;
    moved[k] = parameters[k] + kStep;
    const double above = smoothed_loss(net, shard, moved);
    moved[k] = parameters[k] - kStep;
    const double below = smoothed_loss(net, shard, moved);
    const double expected = -(above - below) / (2 * kStep);
    // Truncation is of order step^2 a row, rounding of order 1e-16 / step.
    EXPECT_NEAR(batch.descent[k], expected, 1e-8 * rows) << "parameter " << k;
    if (net.label_smoothing == 0) {
      EXPECT_NEAR(block.descent[k], expected, 1e-8 * rows) << "parameter " << k;
    }
  }
}

constexpr Activation kDifferentiable[] = {
    Activation::kRelu, Activation::kTanh, Activation::kSigmoid};

TEST(FiniteDifferences, AgreeWithoutAHiddenLayer) { expect_differences({{{3, 4}}}, 20); }

TEST(FiniteDifferences, AgreeForOneHiddenLayer) {
  for (const Activation activation : kDifferentiable) {
    expect_differences({{{3, 5, 4}}, activation}, 20);
  }
}

TEST(FiniteDifferences, AgreeForTwoHiddenLayers) {
  for (const Activation activation : kDifferentiable) {
    expect_differences({{{3, 5, 4, 3}}, activation}, 12);
  }
}

TEST(FiniteDifferences, AgreeForThreeHiddenLayers) {
  for (const Activation activation : kDifferentiable) {
    expect_differences({{{2, 3, 4, 3, 2}}, activation}, 8);
  }
}

TEST(FiniteDifferences, AgreeForSmoothedLabels) {
  for (const Activation activation : kDifferentiable) {
    for (const double smoothing : {0.1, 0.7}) {
      expect_differences({{{3, 5, 4}}, activation, smoothing}, 20);
    }
  }
  expect_differences({{{4, 3}}, Activation::kRelu, 0.3}, 20);
}

// ml-py is not the derivative of its forward pass, except where every hidden sum is above zero.
TEST(FiniteDifferences, AgreeForMlPyWithPositiveSums) {
  const Net net{{{2, 3, 4}}, Activation::kMlPy};
  const Shard shard = random_shard(20, net.topology, 73);
  std::vector<double> parameters = random_parameters<double>(net.topology, 1, 74);
  for (std::size_t o = 0; o < 3; ++o) {
    parameters[layer_views(net.topology)[0].bias + o] = 3;
  }
  const auto batch = batch_gradient<double>(net, shard, all_rows(shard), parameters);
  const auto block = block_gradient<double>(net, shard, parameters);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    std::vector<double> moved = parameters;
    moved[k] = parameters[k] + kStep;
    const double above = smoothed_loss(net, shard, moved);
    moved[k] = parameters[k] - kStep;
    const double expected = -(above - smoothed_loss(net, shard, moved)) / (2 * kStep);
    EXPECT_NEAR(batch.descent[k], expected, 1e-8 * shard.rows) << "parameter " << k;
    EXPECT_NEAR(block.descent[k], expected, 1e-8 * shard.rows) << "parameter " << k;
  }
}

}  // namespace
}  // namespace gradmill::ml
