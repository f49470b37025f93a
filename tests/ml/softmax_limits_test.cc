// Softmax and the loss at the ends of the range: logits up to 1e30 either way.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"

namespace gradmill::ml {
namespace {

template <class T>
class SoftmaxLimitsTest : public testing::Test {
 protected:
  /// Of a net without hidden layers and with weights of zero, so that every row has these logits;
  /// row k has the label k. The descent of a bias is the sum of targets - probabilities.
  static std::vector<Gradient<T>> of_logits(const std::vector<double>& logits, double smoothing) {
    const auto classes = static_cast<std::uint32_t>(logits.size());
    const Net net{{{1, classes}}, Activation::kRelu, smoothing};
    std::vector<T> parameters(classes);
    for (const double logit : logits) {
      parameters.push_back(static_cast<T>(logit));
    }
    Shard shard = random_shard(classes, net.topology, 1);
    std::vector<Gradient<T>> results;
    for (std::uint32_t label = 0; label < classes; ++label) {
      shard.labels.assign(classes, static_cast<std::uint16_t>(label));
      results.push_back(batch_gradient<T>(net, shard, {0}, parameters));
      if (smoothing == 0) {
        Shard one = shard_of_rows(shard, {0});
        results.push_back(block_gradient<T>(net, one, parameters));
      }
    }
    return results;
  }

  /// Every class as the label in turn, where the probabilities are known.
  static void expect_probabilities(const std::vector<double>& logits,
                                   const std::vector<double>& probabilities) {
    for (const double smoothing : {0.0, 0.1}) {
      const std::vector<Gradient<T>> results = of_logits(logits, smoothing);
      const std::size_t kernels = smoothing == 0 ? 2 : 1;
      ASSERT_EQ(results.size(), kernels * logits.size());
      for (std::size_t k = 0; k < results.size(); ++k) {
        const std::size_t label = k / kernels;
        SCOPED_TRACE(label);
        EXPECT_NEAR(results[k].loss, -std::log(probabilities[label] + 1e-6), 1e-5);
        for (std::size_t c = 0; c < logits.size(); ++c) {
          const double off = smoothing / static_cast<double>(logits.size());
          const double target = (c == label ? 1 - smoothing : 0) + off;
          EXPECT_NEAR(static_cast<double>(results[k].descent[logits.size() + c]),
                      target - probabilities[c],
                      4e-7);
        }
        for (const T value : results[k].descent) {
          EXPECT_TRUE(std::isfinite(value));
        }
      }
    }
  }
};
TYPED_TEST_SUITE(SoftmaxLimitsTest, Precisions, PrecisionNames);

TYPED_TEST(SoftmaxLimitsTest, OneHugeLogitTakesAll) {
  this->expect_probabilities({1e30, 0, -1e30}, {1, 0, 0});
  this->expect_probabilities({-1e30, 1e30}, {0, 1});
  this->expect_probabilities({0, -1e30, 1, 1e30, 2}, {0, 0, 0, 1, 0});
}

TYPED_TEST(SoftmaxLimitsTest, EqualHugeLogitsShare) {
  this->expect_probabilities({1e30, 1e30, -1e30, 1e30, 1e30}, {0.25, 0.25, 0, 0.25, 0.25});
  this->expect_probabilities({-1e30, -1e30}, {0.5, 0.5});
}

TYPED_TEST(SoftmaxLimitsTest, HugeNegativeLogitsLeaveTheRestAsItWas) {
  const double e = std::exp(1);
  this->expect_probabilities({1, 0, -1e30, -1e30}, {e / (e + 1), 1 / (e + 1), 0, 0});
}

TYPED_TEST(SoftmaxLimitsTest, LogitsBeyondTheRangeOfExp) {
  this->expect_probabilities({1000, 0, -1000}, {1, 0, 0});
  this->expect_probabilities({-800, -800, -1000}, {0.5, 0.5, 0});
}

TYPED_TEST(SoftmaxLimitsTest, TheLastClassOfManyMayBeTheHugeOne) {
  for (const std::size_t classes : {15U, 16U, 17U, 26U, 65U}) {
    std::vector<double> logits(classes, -1e30);
    std::vector<double> probabilities(classes);
    logits.back() = 1e30;
    probabilities.back() = 1;
    this->expect_probabilities(logits, probabilities);
  }
}

// A model sure of the wrong class: the loss is -log(1e-6) a row, and not infinite.
TYPED_TEST(SoftmaxLimitsTest, TheLossHasAFloorUnderTheProbability) {
  const Net net{{{1, 2}}};
  Shard shard = random_shard(3, net.topology, 62);
  shard.labels = {1, 1, 1};
  const std::vector<TypeParam> parameters = {0, 0, TypeParam(1e6), TypeParam(-1e6)};
  for (const auto& result : {block_gradient<TypeParam>(net, shard, parameters),
                             batch_gradient<TypeParam>(net, shard, {0, 1, 2}, parameters)}) {
    EXPECT_NEAR(result.loss, -3 * std::log(1e-6), 1e-5);
    EXPECT_EQ(result.descent[2], -3);
    EXPECT_EQ(result.descent[3], 3);
  }
}

}  // namespace
}  // namespace gradmill::ml
