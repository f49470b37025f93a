#include "ml/topology.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

TEST(Topology, NamesItsEnds) {
  const Topology letters{{16, 24, 26}};
  EXPECT_EQ(letters.features(), 16);
  EXPECT_EQ(letters.classes(), 26);
  EXPECT_EQ(letters.layers(), 2);
}

TEST(ParameterCount, CountsWeightsAndBiases) {
  EXPECT_EQ(parameter_count({{16, 24, 26}}), 17 * 24 + 25 * 26);
  EXPECT_EQ(parameter_count({{1, 1}}), 2);
  EXPECT_EQ(parameter_count({{3, 4, 5, 2}}), 4 * 4 + 5 * 5 + 6 * 2);
}

TEST(ParameterCount, IsZeroWithoutALayerOfWeights) {
  EXPECT_EQ(parameter_count({}), 0);
  EXPECT_EQ(parameter_count({{16}}), 0);
}

TEST(ParameterCount, IsZeroForALayerWithoutUnits) {
  EXPECT_EQ(parameter_count({{0, 2}}), 0);
  EXPECT_EQ(parameter_count({{2, 0, 2}}), 0);
  EXPECT_EQ(parameter_count({{2, 2, 0}}), 0);
}

TEST(ParameterCount, CapsLayers) {
  EXPECT_EQ(parameter_count({std::vector<std::uint32_t>(kLayersMax + 1, 1)}), 2 * kLayersMax);
  EXPECT_EQ(parameter_count({std::vector<std::uint32_t>(kLayersMax + 2, 1)}), 0);
}

TEST(ParameterCount, CapsUnits) {
  EXPECT_EQ(parameter_count({{kUnitsMax, 1}}), kUnitsMax + 1);
  EXPECT_EQ(parameter_count({{kUnitsMax + 1, 1}}), 0);
  EXPECT_EQ(parameter_count({{1, UINT32_MAX}}), 0);
}

TEST(ParameterCount, CapsParameters) {
  EXPECT_EQ(parameter_count({{9'999, 10'000}}), kParametersMax);
  EXPECT_EQ(parameter_count({{10'000, 10'000}}), 0);
  EXPECT_EQ(parameter_count({std::vector<std::uint32_t>(kLayersMax + 1, kUnitsMax)}), 0);
}

TEST(LayerViews, LieOneAfterAnotherWithTheWeightBeforeItsBias) {
  const std::vector<LayerView> views = layer_views({{16, 24, 26}});
  ASSERT_EQ(views.size(), 2);
  EXPECT_EQ(views[0].in, 16);
  EXPECT_EQ(views[0].out, 24);
  EXPECT_EQ(views[0].weight, 0);
  EXPECT_EQ(views[0].bias, 16 * 24);
  EXPECT_EQ(views[1].in, 24);
  EXPECT_EQ(views[1].out, 26);
  EXPECT_EQ(views[1].weight, 17 * 24);
  EXPECT_EQ(views[1].bias, 17 * 24 + 24 * 26);
}

TEST(LayerViews, FillTheBlockForAnyTopology) {
  Draw draw(3);
  for (int i = 0; i < 200; ++i) {
    Topology topology;
    for (std::uint32_t n = 2 + draw.below(6); n > 0; --n) {
      topology.units.push_back(1 + draw.below(50));
    }
    std::size_t end = 0;
    for (const LayerView& view : layer_views(topology)) {
      EXPECT_EQ(view.weight, end);
      EXPECT_EQ(view.bias, end + std::size_t{view.in} * view.out);
      end = view.bias + view.out;
    }
    EXPECT_EQ(end, parameter_count(topology));
  }
}

TEST(LayerViewsDeathTest, RefuseATopologyBeyondTheCaps) {
  EXPECT_DEATH(static_cast<void>(layer_views({})), "gradmill: bug: parameter_count");
  EXPECT_DEATH(static_cast<void>(layer_views({{kUnitsMax, kUnitsMax}})), "gradmill: bug:");
}

}  // namespace
}  // namespace gradmill::ml
