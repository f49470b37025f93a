#include "ml/initial_parameters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/topology.h"

namespace gradmill::ml {
namespace {

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
  const std::vector<double> block = initial_parameters<double>(topology, 1);
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
  const std::vector<double> block = initial_parameters<double>(topology, 1);
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
    return initial_parameters<double>({{1, 1}}, seed).back();
  };
  EXPECT_EQ(first_bias(0), 0.0009762700785464953);
  EXPECT_EQ(first_bias(4294967295), -0.008047359420119724);
  EXPECT_EQ(first_bias(4294967296), first_bias(0));
}

TEST(InitialParameters, RoundToFloatOnce) {
  const Topology topology{{16, 24, 26}};
  const std::vector<double> wide = initial_parameters<double>(topology, 7);
  const std::vector<float> narrow = initial_parameters<float>(topology, 7);
  EXPECT_TRUE(
      std::equal(wide.begin(), wide.end(), narrow.begin(), narrow.end(), [](auto w, auto n) {
        return static_cast<float>(w) == n;
      }));
}

TEST(InitialParameters, StayWithinAHundredth) {
  const std::vector<double> block = initial_parameters<double>({{100, 100, 100}}, 3);
  const auto [least, greatest] = std::minmax_element(block.begin(), block.end());
  EXPECT_GE(*least, -0.01);
  EXPECT_LT(*greatest, 0.01);
  // 20,200 draws: one within a hundredth of either end is missed with probability e^-100.
  EXPECT_LT(*least, -0.0099);
  EXPECT_GT(*greatest, 0.0099);
}

}  // namespace
}  // namespace gradmill::ml
