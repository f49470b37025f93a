#include "ml/gradient.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradient_naive.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;
constexpr Activation kActivations[] = {Activation::kRelu, Activation::kMlPy};

std::string name_of(const Topology& topology, std::uint32_t rows, Activation activation) {
  std::string name = activation == Activation::kRelu ? "relu " : "ml-py ";
  for (const std::uint32_t units : topology.units) {
    name += std::to_string(units) + "-";
  }
  return name + " rows " + std::to_string(rows);
}

/// Weights that keep the sums of every layer around one.
template <class T>
std::vector<T> sound_parameters(const Topology& topology, std::uint32_t seed) {
  const std::uint32_t widest = *std::max_element(topology.units.begin(), topology.units.end());
  return random_parameters<T>(topology, 3 / std::sqrt(widest + 1.0), seed);
}

template <class T>
class GradientTest : public testing::Test {
 protected:
  struct Pass {
    double loss = 0;
    std::vector<T> descent;
    friend bool operator==(const Pass&, const Pass&) = default;
  };

  static Pass pass(const Topology& topology,
                   Activation activation,
                   const Shard& shard,
                   const std::vector<T>& parameters,
                   int threads) {
    const SampleBlocks<T> samples(shard, block_rows(topology));
    Pass result{0, std::vector<T>(parameters.size(), T(99))};
    result.loss =
        GradientKernel<T>(topology, activation, threads).pass(samples, parameters, result.descent);
    return result;
  }

  /// Both sides add up `rows` terms of as many products as the net is wide; the tolerance is one
  /// rounding error each, of the layer's largest element or of the 1 in 1 - probability. A lost or
  /// doubled row is far beyond it.
  static void expect_twin(const Topology& topology, std::uint32_t rows, Activation activation) {
    SCOPED_TRACE(name_of(topology, rows, activation));
    const Shard shard = random_shard(rows, topology, rows + 1);
    const std::vector<T> parameters = sound_parameters<T>(topology, rows + 2);
    const Pass actual = pass(topology, activation, shard, parameters, 1);
    std::vector<T> expected(parameters.size());
    const double loss = gradient_naive<T>(topology, activation, shard, parameters, expected);
    double terms = rows;
    for (const std::uint32_t units : topology.units) {
      terms += units;
    }
    const double tolerance = terms * double{std::numeric_limits<T>::epsilon()};
    EXPECT_NEAR(actual.loss, loss, tolerance * loss);
    for (const LayerView& layer : layer_views(topology)) {
      const std::size_t end = layer.bias + layer.out;
      double largest = 1;
      for (std::size_t k = layer.weight; k < end; ++k) {
        largest = std::fmax(largest, std::fabs(double{expected[k]}));
      }
      for (std::size_t k = layer.weight; k < end; ++k) {
        ASSERT_NEAR(actual.descent[k], expected[k], tolerance * largest) << "parameter " << k;
      }
    }
  }
};
TYPED_TEST_SUITE(GradientTest, Precisions, PrecisionNames);

TYPED_TEST(GradientTest, MatchesItsTwinForAnyTopology) {
  Draw draw(41);
  for (int i = 0; i < 40; ++i) {
    Topology topology{{1 + draw.below(20)}};
    for (std::uint32_t hidden = 1 + static_cast<std::uint32_t>(i) % 3; hidden > 0; --hidden) {
      topology.units.push_back(1 + draw.below(40));
    }
    topology.units.push_back(2 + draw.below(30));
    this->expect_twin(topology, 1 + draw.below(500), kActivations[i % 2]);
  }
}

TYPED_TEST(GradientTest, MatchesItsTwinForTheSmallestSizes) {
  for (const Units& units : {Units{1, 1, 2}, {1, 1, 1, 1, 2}, {1, 2}, {2, 1, 2}, {1, 9, 2}}) {
    for (const std::uint32_t rows : {1U, 2U, 33U}) {
      for (const Activation activation : kActivations) {
        this->expect_twin({units}, rows, activation);
      }
    }
  }
}

TYPED_TEST(GradientTest, MatchesItsTwinAroundBlockBoundaries) {
  for (const std::uint32_t rows : {383U, 384U, 385U, 768U, 769U, 1500U}) {
    for (const Activation activation : kActivations) {
      this->expect_twin({{16, 24, 26}}, rows, activation);
    }
  }
}

TYPED_TEST(GradientTest, MatchesItsTwinForWideLayersAndTheirShorterBlocks) {
  for (const std::uint32_t rows : {63U, 64U, 130U}) {
    this->expect_twin({{3, 1030, 2}}, rows, Activation::kRelu);
    this->expect_twin({{1100, 3}}, rows, Activation::kRelu);
    this->expect_twin({{2, 3, 1025}}, rows, Activation::kMlPy);
  }
}

TYPED_TEST(GradientTest, HasTheSameBitsForAnyNumberOfThreads) {
  for (const Units& units : {Units{16, 24, 26}, {5, 33, 17, 4}, {3, 1030, 2}}) {
    const Topology topology{units};
    const Shard shard = random_shard(1700, topology, 51);
    const auto parameters = sound_parameters<TypeParam>(topology, 52);
    const auto one = this->pass(topology, Activation::kRelu, shard, parameters, 1);
    for (const int threads : {2, 3, 5}) {
      EXPECT_EQ(this->pass(topology, Activation::kRelu, shard, parameters, threads), one)
          << threads << " threads, " << units.size() << " layers of units";
    }
  }
}

// Partial gradients beyond 32 MiB are made and added in waves, whose length depends on `threads`.
TYPED_TEST(GradientTest, HasTheSameBitsWhenPartialsComeInWaves) {
  const Topology topology{{1025, 1200, 2}};
  const Shard shard = random_shard(64 * 8, topology, 53);
  const auto parameters = sound_parameters<TypeParam>(topology, 54);
  const auto one = this->pass(topology, Activation::kRelu, shard, parameters, 1);
  EXPECT_EQ(this->pass(topology, Activation::kRelu, shard, parameters, 9), one);
  EXPECT_TRUE(std::isfinite(one.loss));
}

TYPED_TEST(GradientTest, GivesTheSameBitsWhenUsedAgain) {
  const Topology topology{{4, 9, 3}};
  const Shard shard = random_shard(800, topology, 55);
  const SampleBlocks<TypeParam> samples(shard, block_rows(topology));
  GradientKernel<TypeParam> kernel(topology, Activation::kRelu, 2);
  const auto first = sound_parameters<TypeParam>(topology, 56);
  const auto other = sound_parameters<TypeParam>(topology, 57);
  std::vector<TypeParam> descent(first.size());
  std::vector<TypeParam> again(first.size());
  const double loss = kernel.pass(samples, first, descent);
  static_cast<void>(kernel.pass(samples, other, again));
  static_cast<void>(kernel.count_errors(samples, other));
  GradientKernel<TypeParam> moved = std::move(kernel);
  EXPECT_EQ(moved.pass(samples, first, again), loss);
  EXPECT_EQ(again, descent);
}

TYPED_TEST(GradientTest, OfNoRowsIsZero) {
  const Topology topology{{4, 3, 2}};
  const auto result = this->pass(topology,
                                 Activation::kRelu,
                                 random_shard(0, topology, 1),
                                 sound_parameters<TypeParam>(topology, 1),
                                 2);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.descent, std::vector<TypeParam>(result.descent.size()));
}

TYPED_TEST(GradientTest, CountsTheErrorsOfItsTwin) {
  for (const std::uint32_t rows : {1U, 384U, 385U, 1000U}) {
    for (const Activation activation : kActivations) {
      const Topology topology{{6, 10, 7}};
      const Shard shard = random_shard(rows, topology, rows);
      const auto parameters = sound_parameters<TypeParam>(topology, rows);
      const SampleBlocks<TypeParam> samples(shard, block_rows(topology));
      const std::size_t expected =
          count_errors_naive<TypeParam>(topology, activation, shard, parameters);
      for (const int threads : {1, 3}) {
        GradientKernel<TypeParam> kernel(topology, activation, threads);
        EXPECT_EQ(kernel.count_errors(samples, parameters), expected);
      }
    }
  }
}

TYPED_TEST(GradientTest, GivesTiesToTheLowestClass) {
  const Topology topology{{1, 4}};
  const Shard shard = random_shard(500, topology, 61);
  const SampleBlocks<TypeParam> samples(shard, block_rows(topology));
  // Weights of zero, so the biases decide: all tie, or classes 1 and 3 tie at the top.
  for (const auto& [bias, best] : {std::pair{std::vector<TypeParam>{5, 5, 5, 5}, 0},
                                   std::pair{std::vector<TypeParam>{-2, 4, 3, 4}, 1}}) {
    std::vector<TypeParam> parameters(4);
    parameters.insert(parameters.end(), bias.begin(), bias.end());
    const auto right = std::count(shard.labels.begin(), shard.labels.end(), best);
    GradientKernel<TypeParam> kernel(topology, Activation::kRelu, 1);
    const std::size_t errors = kernel.count_errors(samples, parameters);
    EXPECT_EQ(errors, shard.rows - static_cast<std::size_t>(right));
    EXPECT_EQ(errors,
              count_errors_naive<TypeParam>(topology, Activation::kRelu, shard, parameters));
  }
}

// A model sure of the wrong class: the loss is -log(1e-6) a row, and not infinite.
TYPED_TEST(GradientTest, FloorsTheProbabilityInTheLoss) {
  const Topology topology{{1, 2}};
  Shard shard = random_shard(3, topology, 62);
  shard.labels = {1, 1, 1};
  const auto result =
      this->pass(topology, Activation::kRelu, shard, {0, 0, TypeParam(1e6), TypeParam(-1e6)}, 1);
  EXPECT_NEAR(result.loss, -3 * std::log(1e-6), 1e-5);
  EXPECT_EQ(result.descent[2], -3);
  EXPECT_EQ(result.descent[3], 3);
}

// Finite parameters may still be so large that sums overflow and infinities cancel to NaN. That
// must show in the result, where all_finite finds it, not end as some finite loss and gradient.
TYPED_TEST(GradientTest, OverflowShowsInTheLossAndInTheDescent) {
  constexpr TypeParam kHuge = std::numeric_limits<TypeParam>::max() / 2;
  const Topology topology{{1, 2, 1, 2}};
  Shard shard = random_shard(400, topology, 63);
  // In row 1, both units of the first hidden layer are infinite, the second is their difference.
  std::get<std::vector<float>>(shard.values)[1] = 8;
  const std::vector<TypeParam> parameters = {kHuge, kHuge, 0, 0, 1, -1, 0, 1, -1, 0, 0};
  for (const Activation activation : kActivations) {
    const auto result = this->pass(topology, activation, shard, parameters, 1);
    EXPECT_TRUE(std::isnan(result.loss));
    EXPECT_TRUE(std::any_of(result.descent.begin(), result.descent.end(), [](TypeParam value) {
      return std::isnan(value);
    }));
  }
}

TYPED_TEST(GradientTest, DiesOfSizesThatDoNotFit) {
  const Topology topology{{4, 3, 2}};
  const SampleBlocks<TypeParam> samples(random_shard(5, topology, 1), block_rows(topology));
  const SampleBlocks<TypeParam> shorter(random_shard(5, topology, 1), 64);
  GradientKernel<TypeParam> kernel(topology, Activation::kRelu, 1);
  std::vector<TypeParam> right(parameter_count(topology));
  std::vector<TypeParam> wrong(right.size() - 1);
  EXPECT_DEATH(static_cast<void>(kernel.pass(samples, wrong, right)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.pass(samples, right, wrong)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.pass(shorter, right, right)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.count_errors(samples, wrong)), "gradmill: bug:");
}

TEST(PassFlop, CountsTheProductsOfBothDirections) {
  EXPECT_EQ(pass_flop({{16, 24, 26}}), 4 * 16 * 24 + 6 * 24 * 26);
  EXPECT_EQ(pass_flop({{5, 3}}), 4 * 5 * 3);
}

}  // namespace
}  // namespace gradmill::ml
