#include "ml/initial_parameters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/topology.h"

namespace gradmill::ml {
namespace {

TrainingRule course_rule(const Topology& topology, std::uint64_t seed) {
  TrainingRule rule;
  rule.topology = topology;
  rule.seed = seed;
  return rule;
}

/// One layer of a flat block as the course's matrix: row 0 is the bias, row i + 1 is input i.
struct CourseMatrix {
  const std::vector<double>& block;
  LayerView view;

  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return row == 0 ? block[view.bias + column] : block[view.weight + column * view.in + (row - 1)];
  }
};

// NumPy 1.24: r = RandomState(1); V = r.uniform(-0.01, 0.01, (25, 26)), then
// W = r.uniform(-0.01, 0.01, (17, 24)).
TEST(InitialParameters, AreTheCourseProgramsVThenW) {
  const Topology topology{{16, 24, 26}};
  const std::vector<double> block = initial_parameters<double>(course_rule(topology, 1));
  ASSERT_EQ(block.size(), parameter_count(topology));
  const CourseMatrix v{block, layer_views(topology)[1]};
  EXPECT_EQ(v.at(0, 0), -0.0016595599059485207);
  EXPECT_EQ(v.at(0, 1), 0.004406489868843162);
  EXPECT_EQ(v.at(0, 25), 0.007892133270076948);
  EXPECT_EQ(v.at(1, 0), -0.008299115772604441);
  EXPECT_EQ(v.at(1, 1), -0.009218904335342353);
  EXPECT_EQ(v.at(2, 0), -0.00576743767999882);
  EXPECT_EQ(v.at(24, 25), -0.004769008963340258);
  const CourseMatrix w{block, layer_views(topology)[0]};
  EXPECT_EQ(w.at(0, 0), -0.0028587678223441614);
  EXPECT_EQ(w.at(0, 23), 0.005174938620446733);
  EXPECT_EQ(w.at(1, 0), 0.004338580033849397);
  EXPECT_EQ(w.at(1, 1), 0.009746523496168532);
  EXPECT_EQ(w.at(2, 0), 0.0008633286047618899);
  EXPECT_EQ(w.at(16, 23), 0.00464749798358661);
}

// As above, with matrices (5, 2), then (4, 4), then (3, 3).
TEST(InitialParameters, DrawTheLastLayerFirst) {
  const Topology topology{{2, 3, 4, 2}};
  const std::vector<double> block = initial_parameters<double>(course_rule(topology, 1));
  const std::vector<LayerView> views = layer_views(topology);
  EXPECT_EQ((CourseMatrix{block, views[2]}.at(0, 0)), -0.0016595599059485207);
  EXPECT_EQ((CourseMatrix{block, views[2]}.at(4, 1)), 0.0007763346800671381);
  EXPECT_EQ((CourseMatrix{block, views[1]}.at(0, 0)), -0.0016161097119341047);
  EXPECT_EQ((CourseMatrix{block, views[1]}.at(3, 3)), 0.007892133270076948);
  EXPECT_EQ((CourseMatrix{block, views[0]}.at(0, 0)), -0.008299115772604441);
  EXPECT_EQ((CourseMatrix{block, views[0]}.at(1, 2)), -0.0015778474998989558);
  EXPECT_EQ((CourseMatrix{block, views[0]}.at(2, 2)), 0.0038375422790094676);
}

// NumPy: RandomState(0) and RandomState(4294967295).
TEST(InitialParameters, TakeTheLow32BitsOfTheSeed) {
  const auto first_bias = [](std::uint64_t seed) {
    return initial_parameters<double>(course_rule({{1, 1}}, seed)).back();
  };
  EXPECT_EQ(first_bias(0), 0.0009762700785464953);
  EXPECT_EQ(first_bias(4294967295), -0.008047359420119724);
  EXPECT_EQ(first_bias(4294967296), first_bias(0));
}

TEST(InitialParameters, RoundToFloatOnce) {
  const Topology topology{{16, 24, 26}};
  const std::vector<double> wide = initial_parameters<double>(course_rule(topology, 7));
  const std::vector<float> narrow = initial_parameters<float>(course_rule(topology, 7));
  EXPECT_TRUE(
      std::equal(wide.begin(), wide.end(), narrow.begin(), narrow.end(), [](auto w, auto n) {
        return static_cast<float>(w) == n;
      }));
}

TEST(InitialParameters, StayWithinAHundredth) {
  const std::vector<double> block = initial_parameters<double>(course_rule({{100, 100, 100}}, 3));
  const auto [least, greatest] = std::minmax_element(block.begin(), block.end());
  EXPECT_GE(*least, -0.01);
  EXPECT_LT(*greatest, 0.01);
  // 20,200 draws: one within a hundredth of either end is missed with probability e^-100.
  EXPECT_LT(*least, -0.0099);
  EXPECT_GT(*greatest, 0.0099);
}

struct Extent {
  double least = 0;
  double greatest = 0;
};

Extent extent_of(const std::vector<double>& block, std::size_t first, std::size_t last) {
  const auto [least, greatest] =
      std::minmax_element(block.begin() + static_cast<std::ptrdiff_t>(first),
                          block.begin() + static_cast<std::ptrdiff_t>(last));
  return {*least, *greatest};
}

// He's bounds before relu, Glorot's for the others and for the last layer. With 3,000 draws and
// more, one within a hundredth of either end is missed with probability e^-15.
TEST(InitialParameters, OfBatchedRulesFillTheBoundsOfTheirLayers) {
  for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam}) {
    for (const Activation activation :
         {Activation::kRelu, Activation::kTanh, Activation::kSigmoid}) {
      TrainingRule rule = course_rule({{50, 60, 100, 40}}, 3);
      rule.optimizer = optimizer;
      rule.activation = activation;
      const std::vector<double> block = initial_parameters<double>(rule);
      const bool is_relu = activation == Activation::kRelu;
      const double bounds[] = {std::sqrt(is_relu ? 6.0 / 50 : 6.0 / 110),
                               std::sqrt(is_relu ? 6.0 / 60 : 6.0 / 160),
                               std::sqrt(6.0 / 140)};
      const std::vector<LayerView> layers = layer_views(rule.topology);
      for (std::size_t n = 0; n < layers.size(); ++n) {
        const Extent weights = extent_of(block, layers[n].weight, layers[n].bias);
        EXPECT_GE(weights.least, -bounds[n]);
        EXPECT_LT(weights.least, -0.99 * bounds[n]);
        EXPECT_LT(weights.greatest, bounds[n]);
        EXPECT_GT(weights.greatest, 0.99 * bounds[n]);
        const Extent biases = extent_of(block, layers[n].bias, layers[n].bias + layers[n].out);
        EXPECT_EQ(biases.least, 0);
        EXPECT_EQ(biases.greatest, 0);
      }
    }
  }
}

// NumPy: RandomState(1).uniform(-b, b, 6) with b = sqrt(6 / 5), the first number 0.417022004702574
// of [0, 1).
TEST(InitialParameters, OfBatchedRulesDrawTheLastLayersWeightsFirst) {
  TrainingRule rule = course_rule({{4, 2, 3}}, 1);
  rule.optimizer = Optimizer::kSgd;
  const std::vector<double> block = initial_parameters<double>(rule);
  const LayerView last = layer_views(rule.topology)[1];
  const double bound = std::sqrt(6.0 / 5);
  EXPECT_DOUBLE_EQ(block[last.weight], bound * (2 * 0.417022004702574 - 1));
  EXPECT_DOUBLE_EQ(block[last.weight + last.in], bound * (2 * 0.7203244934421581 - 1));
}

}  // namespace
}  // namespace gradmill::ml
