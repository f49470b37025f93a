// Both kernels against gradient_naive in double.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;

template <class T>
class GradientTwinTest : public testing::Test {
 protected:
  static void expect_twins(const Net& net, std::uint32_t rows) {
    SCOPED_TRACE(name_of(net, rows));
    const auto parameters = sound_parameters<T>(net.topology, rows + 2);
    const Shard shard = shard_off_kinks(rows, net, parameters, rows + 1);
    const Gradient<double> expected = naive_gradient(net, shard, parameters);
    {
      SCOPED_TRACE("units in lanes");
      expect_near_twin(
          batch_gradient<T>(net, shard, all_rows(shard), parameters), expected, net.topology, rows);
    }
    if (net.label_smoothing == 0) {
      SCOPED_TRACE("samples in lanes");
      expect_near_twin(block_gradient<T>(net, shard, parameters), expected, net.topology, rows);
    }
  }
};
TYPED_TEST_SUITE(GradientTwinTest, Precisions, PrecisionNames);

/// Sizes around the ends of vectors, tiles, panels and slices, and sizes that no two of them
/// divide.
std::uint32_t random_units(Draw& draw) {
  constexpr std::uint32_t kUnits[] = {1,  2,  3,  7,  8,  9,  13, 14, 15, 16,  17,  24,  26, 31,
                                      32, 33, 40, 63, 64, 65, 96, 97, 98, 127, 128, 129, 130};
  return kUnits[draw.below(std::size(kUnits))];
}

Topology random_topology(Draw& draw, std::uint32_t layers) {
  Topology topology{{random_units(draw)}};
  for (; layers > 1; --layers) {
    topology.units.push_back(random_units(draw));
  }
  topology.units.push_back(1 + random_units(draw));
  return topology;
}

TYPED_TEST(GradientTwinTest, AgreeForRandomTopologies) {
  constexpr std::uint32_t kRows[] = {1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 383, 384, 385};
  Draw draw(41);
  for (std::uint32_t i = 0; i < 64; ++i) {
    const Net net{random_topology(draw, 1 + i % 5), kActivations[i / 5 % 4]};
    // The twin is slow: many rows for small nets only.
    const auto most = std::max<std::uint64_t>(1, 500'000 / parameter_count(net.topology));
    std::uint32_t rows = kRows[draw.below(std::size(kRows))];
    while (rows > most) {
      rows = kRows[draw.below(std::size(kRows))];
    }
    this->expect_twins(net, rows);
  }
}

TYPED_TEST(GradientTwinTest, AgreeForTheSmallestSizes) {
  for (const Units& units :
       {Units{1, 1}, {1, 2}, {1, 1, 2}, {1, 1, 1, 1, 2}, {2, 1, 2}, {1, 9, 2}, {97, 1, 2}}) {
    for (const std::uint32_t rows : {1U, 2U, 33U}) {
      for (const Activation activation : kActivations) {
        this->expect_twins({{units}, activation}, rows);
      }
    }
  }
}

TYPED_TEST(GradientTwinTest, AgreeForManyRows) {
  for (const std::uint32_t rows :
       {383U, 384U, 385U, 768U, 769U, 1023U, 1024U, 1025U, 1100U, 2049U}) {
    this->expect_twins({{{5, 9, 4}}, kActivations[rows % 4]}, rows);
  }
  // More than sixteen blocks, which are added up in waves.
  this->expect_twins({{{3, 5, 2}}, Activation::kTanh}, 16 * 384 + 385);
}

TYPED_TEST(GradientTwinTest, AgreeForTheCoursesNet) {
  for (const Activation activation : kActivations) {
    this->expect_twins({{{16, 24, 26}}, activation}, 1500);
  }
}

TYPED_TEST(GradientTwinTest, AgreeForWideLayers) {
  for (const Activation activation : kActivations) {
    this->expect_twins({{{3, 1030, 2}}, activation}, 17);
    this->expect_twins({{{2, 3, 1025}}, activation}, 17);
  }
  this->expect_twins({{{1100, 3}}}, 17);
}

TYPED_TEST(GradientTwinTest, AgreeOnSmoothedLabels) {
  for (const Activation activation : kActivations) {
    for (const double smoothing : {0.1, 0.5, 0.99}) {
      this->expect_twins({{{6, 10, 7}}, activation, smoothing}, 33);
      this->expect_twins({{{17, 65, 15, 2}}, activation, smoothing}, 65);
    }
  }
}

// Any rows in any order, also some of them twice.
TYPED_TEST(GradientTwinTest, AgreeOnAnyBatch) {
  Draw draw(43);
  for (std::uint32_t i = 0; i < 24; ++i) {
    const Net net{random_topology(draw, 1 + i % 3), kActivations[i % 4], i % 2 == 0 ? 0 : 0.1};
    const auto parameters = sound_parameters<TypeParam>(net.topology, i);
    const Shard shard = shard_off_kinks(50, net, parameters, i);
    std::vector<std::uint32_t> rows(1 + draw.below(20));
    for (std::uint32_t& row : rows) {
      row = draw.below(shard.rows);
    }
    SCOPED_TRACE(name_of(net, static_cast<std::uint32_t>(rows.size())));
    expect_near_twin(batch_gradient<TypeParam>(net, shard, rows, parameters),
                     naive_gradient(net, shard_of_rows(shard, rows), parameters),
                     net.topology,
                     static_cast<std::uint32_t>(rows.size()));
  }
}

TYPED_TEST(GradientTwinTest, CountTheSameErrors) {
  for (const std::uint32_t rows : {1U, 2U, 384U, 385U, 1000U, 1025U, 2100U}) {
    for (const Activation activation : kActivations) {
      const Topology topology{{6, 10, 7}};
      const auto parameters = sound_parameters<TypeParam>(topology, rows);
      const Shard shard = random_shard(rows, topology, rows);
      const std::size_t expected =
          count_errors_naive<TypeParam>(topology, activation, shard, parameters);
      for (const int threads : {1, 3}) {
        BlockKernel<TypeParam> blocks(topology, activation, threads);
        EXPECT_EQ(blocks.count_errors(SampleBlocks<TypeParam>(shard, {}), parameters), expected);
        BatchKernel<TypeParam> batches(topology, activation, 0.1, threads);
        AlignedArray<TypeParam> block(batches.size());
        batches.import_parameters(parameters, block.data());
        EXPECT_EQ(batches.count_errors(SampleRows<TypeParam>(shard, {}), block.data()), expected);
      }
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
