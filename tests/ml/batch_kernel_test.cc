#include "ml/batch_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;

const std::vector<Units>& shapes() {
  static const std::vector<Units> kShapes = {
      {16, 24, 26}, {1, 1, 2}, {97, 1, 97}, {7, 15, 16, 17, 2}, {3, 63, 64, 65, 127}, {129, 129}};
  return kShapes;
}

template <class T>
class BatchKernelTest : public testing::Test {
 protected:
  using Kernel = BatchKernel<T>;
  using Piece = typename Kernel::Piece;

  static Kernel kernel_of(const Topology& topology, int threads = 1) {
    return Kernel(topology, Activation::kTanh, 0.1, threads);
  }
};
TYPED_TEST_SUITE(BatchKernelTest, Precisions, PrecisionNames);

TYPED_TEST(BatchKernelTest, LayoutHoldsEachParameterOnceAndPadsWithZeros) {
  for (const Units& units : shapes()) {
    const Topology topology{units};
    const auto kernel = this->kernel_of(topology);
    std::vector<TypeParam> flat(parameter_count(topology));
    std::iota(flat.begin(), flat.end(), TypeParam(1));
    AlignedArray<TypeParam> block(kernel.size());
    std::fill_n(block.data(), block.size(), TypeParam(-5));
    kernel.import_parameters(flat, block.data());
    std::vector<TypeParam> sorted(block.data(), block.data() + block.size());
    std::sort(sorted.begin(), sorted.end());
    const std::size_t padding = block.size() - flat.size();
    ASSERT_EQ(std::count(sorted.begin(), sorted.end(), TypeParam(0)), padding);
    EXPECT_TRUE(std::equal(flat.begin(), flat.end(), sorted.end() - std::ssize(flat)));
    std::vector<TypeParam> back(flat.size());
    kernel.export_parameters(block.data(), back);
    EXPECT_EQ(back, flat);
  }
}

TYPED_TEST(BatchKernelTest, PiecesCoverTheBlockOnceInWholeVectors) {
  constexpr std::size_t kCount = kLaneBytes / sizeof(TypeParam);
  for (const Units& units : shapes()) {
    const Topology topology{units};
    auto kernel = this->kernel_of(topology, 3);
    const SampleRows<TypeParam> samples(random_shard(700, topology, 1), {});
    AlignedArray<TypeParam> parameters(kernel.size());
    AlignedArray<TypeParam> descent(kernel.size());
    std::vector<typename TestFixture::Piece> pieces;
    std::mutex mutex;
    static_cast<void>(kernel.batch(samples,
                                   all_rows(random_shard(700, topology, 1)),
                                   parameters.data(),
                                   descent.data(),
                                   [&](const auto& piece) {
                                     const std::lock_guard lock(mutex);
                                     pieces.push_back(piece);
                                   }));
    std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) {
      return a.offset < b.offset;
    });
    std::size_t end = 0;
    for (const auto& piece : pieces) {
      EXPECT_EQ(piece.offset, end);
      EXPECT_EQ(piece.size % kCount, 0);
      EXPECT_GT(piece.size, 0);
      end += piece.size;
    }
    EXPECT_EQ(end, kernel.size());
  }
}

// Weight decay goes by it: of parameters that are 1 for weights and 2 for biases, no piece has
// both.
TYPED_TEST(BatchKernelTest, PiecesKnowWeightsFromBiases) {
  for (const Units& units : shapes()) {
    const Topology topology{units};
    auto kernel = this->kernel_of(topology);
    std::vector<TypeParam> flat(parameter_count(topology), 1);
    for (const LayerView& layer : layer_views(topology)) {
      std::fill_n(flat.begin() + static_cast<std::ptrdiff_t>(layer.bias), layer.out, TypeParam(2));
    }
    AlignedArray<TypeParam> block(kernel.size());
    AlignedArray<TypeParam> descent(kernel.size());
    kernel.import_parameters(flat, block.data());
    const Shard shard = random_shard(3, topology, 2);
    static_cast<void>(kernel.batch(SampleRows<TypeParam>(shard, {}),
                                   all_rows(shard),
                                   block.data(),
                                   descent.data(),
                                   [&](const auto& piece) {
                                     const auto* const first = block.data() + piece.offset;
                                     const TypeParam wrong(piece.is_weight ? 2 : 1);
                                     EXPECT_EQ(std::count(first, first + piece.size, wrong), 0);
                                   }));
  }
}

TYPED_TEST(BatchKernelTest, PiecesNeedNoWholeDescent) {
  const Net net{{{9, 130, 33, 4}}, Activation::kTanh, 0.1};
  const Shard shard = random_shard(150, net.topology, 3);
  const auto start = sound_parameters<TypeParam>(net.topology, 4);
  const auto expected = batch_gradient<TypeParam>(net, shard, all_rows(shard), start);
  for (const int threads : {1, 3}) {
    auto kernel = this->kernel_of(net.topology, threads);
    AlignedArray<TypeParam> block(kernel.size());
    AlignedArray<TypeParam> descent(kernel.size());
    kernel.import_parameters(start, block.data());
    const double loss =
        kernel.batch(SampleRows<TypeParam>(shard, {}),
                     all_rows(shard),
                     block.data(),
                     nullptr,
                     [&](const auto& piece) {
                       std::copy_n(piece.descent, piece.size, descent.data() + piece.offset);
                     });
    EXPECT_EQ(loss, expected.loss);
    std::vector<TypeParam> flat(start.size());
    kernel.export_parameters(descent.data(), flat);
    EXPECT_EQ(flat, expected.descent);
  }
}

// The step may overwrite a piece at once, also while others still need the weights for the way
// back.
TYPED_TEST(BatchKernelTest, GradientIsThatOfTheParametersBeforeTheStep) {
  for (const std::uint32_t rows : {40U, 1500U}) {
    const Net net{{{9, 65, 33, 4}}, Activation::kTanh, 0.1};
    const Shard shard = random_shard(rows, net.topology, 3);
    const auto start = sound_parameters<TypeParam>(net.topology, 4);
    const auto expected = batch_gradient<TypeParam>(net, shard, all_rows(shard), start);
    auto kernel = this->kernel_of(net.topology, 2);
    AlignedArray<TypeParam> block(kernel.size());
    AlignedArray<TypeParam> descent(kernel.size());
    kernel.import_parameters(start, block.data());
    const double loss =
        kernel.batch(SampleRows<TypeParam>(shard, {}),
                     all_rows(shard),
                     block.data(),
                     descent.data(),
                     [&](const auto& piece) {
                       std::fill_n(block.data() + piece.offset, piece.size, TypeParam(7));
                     });
    EXPECT_EQ(loss, expected.loss);
    std::vector<TypeParam> flat(start.size());
    kernel.export_parameters(descent.data(), flat);
    EXPECT_EQ(flat, expected.descent);
    EXPECT_EQ(std::count(block.data(), block.data() + block.size(), TypeParam(7)), block.size());
  }
}

// All batches are beyond 2e6 operations, from where on threads take part.
TYPED_TEST(BatchKernelTest, HasTheSameBitsForAnyNumberOfThreads) {
  for (const Units& units : {Units{16, 128, 64, 26}, {97, 129, 20}, {300, 65}}) {
    for (const Activation activation : kActivations) {
      const Net net{{units}, activation, 0.1};
      const auto parameters = sound_parameters<TypeParam>(net.topology, 6);
      // Beyond 1024 rows, a batch goes through the network in two parts.
      for (const std::uint32_t rows : {100U, activation == Activation::kRelu ? 1100U : 33U}) {
        ASSERT_GT(rows * pass_flop(net.topology), 2e6);
        const Shard shard = random_shard(rows, net.topology, 5);
        const auto one = batch_gradient<TypeParam>(net, shard, all_rows(shard), parameters, 1);
        for (const int threads : {0, 2, 3}) {
          EXPECT_EQ(batch_gradient<TypeParam>(net, shard, all_rows(shard), parameters, threads),
                    one)
              << threads << " threads, " << name_of(net, rows);
        }
      }
    }
  }
}

TYPED_TEST(BatchKernelTest, KeepsThePaddingZero) {
  for (const Activation activation : kActivations) {
    const Topology topology{{5, 17, 33, 3}};
    BatchKernel<TypeParam> kernel(topology, activation, 0.1, 1);
    AlignedArray<TypeParam> block(kernel.size());
    AlignedArray<TypeParam> descent(kernel.size());
    std::fill_n(descent.data(), descent.size(), TypeParam(99));
    kernel.import_parameters(sound_parameters<TypeParam>(topology, 7), block.data());
    const Shard shard = random_shard(37, topology, 8);
    static_cast<void>(kernel.batch(SampleRows<TypeParam>(shard, {}),
                                   all_rows(shard),
                                   block.data(),
                                   descent.data(),
                                   [](const auto& /*piece*/) {}));
    // What import and export leave out is padding.
    std::vector<TypeParam> flat(parameter_count(topology));
    kernel.export_parameters(descent.data(), flat);
    AlignedArray<TypeParam> expected(kernel.size());
    kernel.import_parameters(flat, expected.data());
    EXPECT_TRUE(std::equal(descent.data(), descent.data() + descent.size(), expected.data()));
  }
}

// A batch leaves nothing behind for the next, larger or smaller.
TYPED_TEST(BatchKernelTest, GivesTheSameBitsWhenUsedAgain) {
  const Net net{{{6, 33, 17, 5}}, Activation::kTanh, 0.1};
  const Shard shard = random_shard(1300, net.topology, 9);
  const SampleRows<TypeParam> samples(shard, {});
  auto kernel = this->kernel_of(net.topology, 2);
  AlignedArray<TypeParam> block(kernel.size());
  AlignedArray<TypeParam> nan(kernel.size());
  AlignedArray<TypeParam> descent(kernel.size());
  const auto parameters = sound_parameters<TypeParam>(net.topology, 10);
  kernel.import_parameters(parameters, block.data());
  std::fill_n(nan.data(), nan.size(), std::numeric_limits<TypeParam>::quiet_NaN());
  for (const std::uint32_t rows : {7U, 1300U, 1U, 33U, 1025U, 7U}) {
    std::vector<std::uint32_t> batch(rows);
    std::iota(batch.begin(), batch.end(), 0U);
    const auto expected = batch_gradient<TypeParam>(net, shard, batch, parameters);
    const auto none = [](const auto& /*piece*/) {};
    EXPECT_EQ(kernel.batch(samples, batch, block.data(), descent.data(), none), expected.loss);
    std::vector<TypeParam> flat(parameters.size());
    kernel.export_parameters(descent.data(), flat);
    EXPECT_EQ(flat, expected.descent);
    EXPECT_TRUE(
        std::isnan(kernel.batch(samples, all_rows(shard), nan.data(), descent.data(), none)));
    static_cast<void>(kernel.count_errors(samples, block.data()));
  }
}

TYPED_TEST(BatchKernelTest, GivesTiesToTheLowestClass) {
  const Topology topology{{1, 4}};
  const Shard shard = random_shard(500, topology, 61);
  auto kernel = this->kernel_of(topology);
  for (const auto& [bias, best] : {std::pair{std::vector<TypeParam>{5, 5, 5, 5}, 0},
                                   std::pair{std::vector<TypeParam>{-2, 4, 3, 4}, 1}}) {
    std::vector<TypeParam> parameters(4);
    parameters.insert(parameters.end(), bias.begin(), bias.end());
    AlignedArray<TypeParam> block(kernel.size());
    kernel.import_parameters(parameters, block.data());
    const auto right = std::count(shard.labels.begin(), shard.labels.end(), best);
    EXPECT_EQ(kernel.count_errors(SampleRows<TypeParam>(shard, {}), block.data()),
              shard.rows - static_cast<std::size_t>(right));
  }
}

// As for BlockKernel, and the other rows of the batch are there to hide it.
TYPED_TEST(BatchKernelTest, OverflowShowsInTheLossAndInTheDescent) {
  constexpr TypeParam kHuge = std::numeric_limits<TypeParam>::max() / 2;
  Net net{{{1, 2, 1, 2}}};
  Shard shard = random_shard(400, net.topology, 63);
  std::get<std::vector<float>>(shard.values)[1] = 8;
  const std::vector<TypeParam> parameters = {kHuge, kHuge, 0, 0, 1, -1, 0, 1, -1, 0, 0};
  for (const Activation activation : {Activation::kRelu, Activation::kMlPy}) {
    net.activation = activation;
    const auto result = batch_gradient<TypeParam>(net, shard, all_rows(shard), parameters);
    EXPECT_TRUE(std::isnan(result.loss));
    EXPECT_TRUE(std::any_of(result.descent.begin(), result.descent.end(), [](TypeParam value) {
      return std::isnan(value);
    }));
  }
}

TYPED_TEST(BatchKernelTest, DiesOfSamplesThatDoNotFit) {
  auto kernel = this->kernel_of({{4, 3, 2}});
  const SampleRows<TypeParam> samples(random_shard(5, 4, 2, 1), {});
  const SampleRows<TypeParam> narrower(random_shard(5, 3, 2, 1), {});
  AlignedArray<TypeParam> block(kernel.size());
  AlignedArray<TypeParam> descent(kernel.size());
  const auto batch = [&](const SampleRows<TypeParam>& of, const std::vector<std::uint32_t>& rows) {
    static_cast<void>(kernel.batch(of, rows, block.data(), descent.data(), [](const auto&) {}));
  };
  EXPECT_DEATH(batch(narrower, {0}), "gradmill: bug:");
  EXPECT_DEATH(batch(samples, {}), "gradmill: bug:");
  EXPECT_DEATH(static_cast<void>(kernel.count_errors(narrower, block.data())), "gradmill: bug:");
}

}  // namespace
}  // namespace gradmill::ml
