// The promise of kernel/kernels.h: every set of kernels gives the same bits. All that the processor
// can run are compared in this one process with the plainest.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/flush_subnormals.h"
#include "ml/gradients.h"
#include "ml/optimizer.h"
#include "ml/parameter_bytes.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;

// ctest runs this with each name in the environment.
TEST(Kernels, AreTheBestUnlessTheEnvironmentNamesOthers) {
  std::vector<std::string> names;
  for (const Kernels* const set : runnable_kernels()) {
    names.emplace_back(set->name);
  }
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "baseline");
  const char* const wanted = std::getenv("GRADMILL_KERNEL");  // NOLINT(concurrency-mt-unsafe)
  const bool has_wanted =
      wanted != nullptr && std::find(names.begin(), names.end(), wanted) != names.end();
  EXPECT_EQ(kernels().name, has_wanted ? std::string(wanted) : names.back());
}

template <class T>
class KernelSetsTest : public testing::Test {
 protected:
  /// Calls check(set) for every set but the plainest.
  template <class F>
  static void for_others(const F& check) {
    for (const Kernels* const set : runnable_kernels().subspan(1)) {
      SCOPED_TRACE(set->name);
      check(*set);
    }
  }
  static const Kernels& plainest() { return *runnable_kernels().front(); }
};
TYPED_TEST_SUITE(KernelSetsTest, Precisions, PrecisionNames);

const std::vector<Units>& shapes() {
  static const std::vector<Units> kShapes = {{16, 24, 26},
                                             {1, 1, 2},
                                             {9, 31, 4},
                                             {5, 17, 12, 33, 3},
                                             {7, 5},
                                             {3, 300, 2},
                                             {97, 63, 65, 129}};
  return kShapes;
}

TYPED_TEST(KernelSetsTest, BlockKernelGivesTheSameBits) {
  for (const Units& units : shapes()) {
    for (const Activation activation : kActivations) {
      const Net net{{units}, activation};
      SCOPED_TRACE(name_of(net, 401));
      const Shard shard = random_shard(401, net.topology, 1);
      const auto parameters = sound_parameters<TypeParam>(net.topology, 2);
      const auto plain = block_gradient<TypeParam>(net, shard, parameters, 1, this->plainest());
      const SampleBlocks<TypeParam> samples(shard, {});
      const auto errors = BlockKernel<TypeParam>(net.topology, activation, 1, this->plainest())
                              .count_errors(samples, parameters);
      this->for_others([&](const Kernels& set) {
        EXPECT_EQ(block_gradient<TypeParam>(net, shard, parameters, 1, set), plain);
        EXPECT_EQ(BlockKernel<TypeParam>(net.topology, activation, 1, set)
                      .count_errors(samples, parameters),
                  errors);
      });
    }
  }
}

TYPED_TEST(KernelSetsTest, BatchKernelGivesTheSameBits) {
  for (const Units& units : shapes()) {
    for (const Activation activation : kActivations) {
      const Net net{{units}, activation, 0.1};
      const Shard shard = random_shard(150, net.topology, 3);
      const auto parameters = sound_parameters<TypeParam>(net.topology, 4);
      for (const std::uint32_t rows : {1U, 17U, 150U}) {
        SCOPED_TRACE(name_of(net, rows));
        std::vector<std::uint32_t> batch = all_rows(shard);
        batch.resize(rows);
        const auto plain =
            batch_gradient<TypeParam>(net, shard, batch, parameters, 1, this->plainest());
        this->for_others([&](const Kernels& set) {
          EXPECT_EQ(batch_gradient<TypeParam>(net, shard, batch, parameters, 1, set), plain);
        });
      }
    }
  }
}

// Products over depths beyond one part of a panel, and pieces of gradients beyond one another.
TYPED_TEST(KernelSetsTest, BatchKernelGivesTheSameBitsForDeepSums) {
  const Net net{{{259, 140, 3}}, Activation::kTanh, 0.1};
  const Shard shard = random_shard(300, net.topology, 5);
  const auto parameters = sound_parameters<TypeParam>(net.topology, 6);
  const auto plain =
      batch_gradient<TypeParam>(net, shard, all_rows(shard), parameters, 1, this->plainest());
  this->for_others([&](const Kernels& set) {
    EXPECT_EQ(batch_gradient<TypeParam>(net, shard, all_rows(shard), parameters, 1, set), plain);
  });
}

TYPED_TEST(KernelSetsTest, NanAndInfinityShowEverywhere) {
  const Net net{{{3, 5, 2}}};
  const Shard shard = random_shard(20, net.topology, 7);
  std::vector<TypeParam> parameters(parameter_count(net.topology),
                                    std::numeric_limits<TypeParam>::max());
  for (const Kernels* const set : runnable_kernels()) {
    const auto batch = batch_gradient<TypeParam>(net, shard, {0, 1}, parameters, 1, *set);
    const auto block = block_gradient<TypeParam>(net, shard, parameters, 1, *set);
    EXPECT_FALSE(std::isfinite(batch.loss)) << set->name;
    EXPECT_FALSE(std::isfinite(block.loss)) << set->name;
  }
}

/// The bytes of a block after some steps on made-up descents of many magnitudes, subnormal too.
template <class T>
std::string after_steps(Optimizer optimizer, const Kernels& set) {
  constexpr std::size_t kSize = 10 * kLaneBytes;
  TrainingRule rule;
  rule.optimizer = optimizer;
  rule.eta = 0.01;
  rule.weight_decay = 0.1;
  BatchOptimizer<T> steps(rule.optimizer, kSize, set);
  steps.start(rule);
  AlignedArray<T> parameters(kSize);
  AlignedArray<T> descent(kSize);
  Draw draw(8);
  for (T& parameter : parameters.span()) {
    parameter = static_cast<T>(draw.between(-1, 1));
  }
  const FlushSubnormals flush;  // As in training.
  for (std::size_t step = 0; step < 20; ++step) {
    for (T& value : descent.span()) {
      value = static_cast<T>(draw.between(-1, 1) * std::exp2(draw.between(-140, 30)));
    }
    steps.begin_step(1 - 0.04 * static_cast<double>(step), 1 + step);
    steps.step_piece(parameters.data(), descent.data(), 0, kSize / 2, true);
    steps.step_piece(parameters.data(), descent.data() + kSize / 2, kSize / 2, kSize / 2, false);
  }
  return bytes_from<T>(parameters.span());
}

TYPED_TEST(KernelSetsTest, OptimizersGiveTheSameBits) {
  for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam}) {
    const std::string plain = after_steps<TypeParam>(optimizer, this->plainest());
    this->for_others([&](const Kernels& set) {
      EXPECT_EQ(after_steps<TypeParam>(optimizer, set), plain) << static_cast<int>(optimizer);
    });
  }
}

}  // namespace
}  // namespace gradmill::ml
