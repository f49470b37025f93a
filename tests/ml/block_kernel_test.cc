#include "ml/block_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;

template <class T>
class BlockKernelTest : public testing::Test {};
TYPED_TEST_SUITE(BlockKernelTest, Precisions, PrecisionNames);

TYPED_TEST(BlockKernelTest, HasTheSameBitsForAnyNumberOfThreads) {
  for (const Units& units : {Units{16, 24, 26}, {5, 33, 17, 4}, {3, 130, 2}}) {
    for (const Activation activation : kActivations) {
      const Net net{{units}, activation};
      const Shard shard = random_shard(1700, net.topology, 51);
      const auto parameters = sound_parameters<TypeParam>(net.topology, 52);
      const auto one = block_gradient<TypeParam>(net, shard, parameters, 1);
      for (const int threads : {0, 2, 3, 5}) {
        EXPECT_EQ(block_gradient<TypeParam>(net, shard, parameters, threads), one)
            << threads << " threads, " << name_of(net, shard.rows);
      }
    }
  }
}

// Sums of many blocks are made and added in waves.
TYPED_TEST(BlockKernelTest, HasTheSameBitsWhenBlocksComeInWaves) {
  const Net net{{{3, 5, 2}}};
  const Shard shard = random_shard(40 * 384 + 1, net.topology, 53);
  const auto parameters = sound_parameters<TypeParam>(net.topology, 54);
  const auto one = block_gradient<TypeParam>(net, shard, parameters, 1);
  EXPECT_EQ(block_gradient<TypeParam>(net, shard, parameters, 3), one);
  EXPECT_EQ(block_gradient<TypeParam>(net, shard, parameters, 19), one);
}

TYPED_TEST(BlockKernelTest, GivesTheSameBitsWhenUsedAgain) {
  const Topology topology{{4, 9, 3}};
  const SampleBlocks<TypeParam> samples(random_shard(800, topology, 55), {});
  const SampleBlocks<TypeParam> longer(random_shard(9000, topology, 56), {});
  BlockKernel<TypeParam> kernel(topology, Activation::kRelu, 2);
  const auto first = sound_parameters<TypeParam>(topology, 56);
  const auto other = sound_parameters<TypeParam>(topology, 57);
  std::vector<TypeParam> descent(first.size());
  std::vector<TypeParam> again(first.size());
  const double loss = kernel.pass(samples, first, descent);
  static_cast<void>(kernel.pass(longer, other, again));
  static_cast<void>(kernel.count_errors(longer, other));
  BlockKernel<TypeParam> moved = std::move(kernel);
  EXPECT_EQ(moved.pass(samples, first, again), loss);
  EXPECT_EQ(again, descent);
}

TYPED_TEST(BlockKernelTest, OfNoRowsIsZero) {
  const Net net{{{4, 3, 2}}};
  const auto result = block_gradient<TypeParam>(
      net, random_shard(0, net.topology, 1), sound_parameters<TypeParam>(net.topology, 1), 2);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.descent, std::vector<TypeParam>(result.descent.size()));
}

TYPED_TEST(BlockKernelTest, GivesTiesToTheLowestClass) {
  const Topology topology{{1, 4}};
  const Shard shard = random_shard(500, topology, 61);
  const SampleBlocks<TypeParam> samples(shard, {});
  // Weights of zero, so the biases decide: all tie, or classes 1 and 3 tie at the top.
  for (const auto& [bias, best] : {std::pair{std::vector<TypeParam>{5, 5, 5, 5}, 0},
                                   std::pair{std::vector<TypeParam>{-2, 4, 3, 4}, 1}}) {
    std::vector<TypeParam> parameters(4);
    parameters.insert(parameters.end(), bias.begin(), bias.end());
    const auto right = std::count(shard.labels.begin(), shard.labels.end(), best);
    BlockKernel<TypeParam> kernel(topology, Activation::kRelu, 1);
    EXPECT_EQ(kernel.count_errors(samples, parameters),
              shard.rows - static_cast<std::size_t>(right));
  }
}

// Finite parameters may still be so large that sums overflow and infinities cancel to NaN. That
// must show in the result, where all_finite finds it, not end as some finite loss and gradient.
TYPED_TEST(BlockKernelTest, OverflowShowsInTheLossAndInTheDescent) {
  constexpr TypeParam kHuge = std::numeric_limits<TypeParam>::max() / 2;
  Net net{{{1, 2, 1, 2}}};
  Shard shard = random_shard(400, net.topology, 63);
  // In row 1, both units of the first hidden layer are infinite, the second is their difference.
  std::get<std::vector<float>>(shard.values)[1] = 8;
  const std::vector<TypeParam> parameters = {kHuge, kHuge, 0, 0, 1, -1, 0, 1, -1, 0, 0};
  for (const Activation activation : {Activation::kRelu, Activation::kMlPy}) {
    net.activation = activation;
    const auto result = block_gradient<TypeParam>(net, shard, parameters);
    EXPECT_TRUE(std::isnan(result.loss));
    EXPECT_TRUE(std::any_of(result.descent.begin(), result.descent.end(), [](TypeParam value) {
      return std::isnan(value);
    }));
  }
}

TYPED_TEST(BlockKernelTest, DiesOfSizesThatDoNotFit) {
  const Topology topology{{4, 3, 2}};
  const SampleBlocks<TypeParam> samples(random_shard(5, topology, 1), {});
  const SampleBlocks<TypeParam> narrower(random_shard(5, 3, 2, 1), {});
  BlockKernel<TypeParam> kernel(topology, Activation::kRelu, 1);
  std::vector<TypeParam> right(parameter_count(topology));
  std::vector<TypeParam> wrong(right.size() - 1);
  EXPECT_DEATH(static_cast<void>(kernel.pass(samples, wrong, right)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.pass(samples, right, wrong)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.pass(narrower, right, right)), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.count_errors(samples, wrong)), "gradmill: bug:");
}

}  // namespace
}  // namespace gradmill::ml
