// train_shard where batches make the steps; optimizer_twin_test.cc has the steps themselves.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"
#include "ml/parameter_bytes.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

constexpr Optimizer kOptimizers[] = {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam};

template <class T>
class TrainBatchesTest : public testing::Test {
 protected:
  TrainBatchesTest() : shard_(random_shard(50, 6, 4, 81)) {
    rule_.topology.units = {6, 8, 4};
    rule_.precision = kPrecisionOf<T>;
    rule_.optimizer = Optimizer::kSgd;
    rule_.eta = 0.05;
    rule_.batch_size = 8;  // Seven steps an epoch, the last of two rows.
    rule_.epochs = 3;
  }

  TrainingResult train(int threads = 1,
                       const std::stop_token& stop = {},
                       const TaskPosition& position = {2, 3, 1}) const {
    return train_shard(rule_,
                       prepare_samples(shard_, rule_),
                       bytes_from<T>(sound_parameters<T>(rule_.topology, 82)),
                       position,
                       threads,
                       stop);
  }

  Shard shard_;
  TrainingRule rule_;
};
TYPED_TEST_SUITE(TrainBatchesTest, Precisions, PrecisionNames);

TYPED_TEST(TrainBatchesTest, CountsStepsAndWholeEpochs) {
  const TrainingResult result = this->train();
  EXPECT_EQ(result.steps, 21);
  EXPECT_EQ(result.epochs, 3);
  EXPECT_FALSE(result.cancelled);
  EXPECT_FALSE(result.diverged);
  EXPECT_EQ(result.delta.size(), parameter_count(this->rule_.topology) * sizeof(TypeParam));
}

TYPED_TEST(TrainBatchesTest, MayTakeFewerOrMoreStepsThanAnEpoch) {
  this->rule_.epochs = 0;
  for (const std::uint32_t steps : {1U, 3U, 6U, 7U, 8U, 13U, 14U, 30U}) {
    this->rule_.steps_per_round = steps;
    const TrainingResult result = this->train();
    EXPECT_EQ(result.steps, steps);
    EXPECT_EQ(result.epochs, steps / 7);
  }
}

TYPED_TEST(TrainBatchesTest, TakesABatchBeyondTheShardAsTheWholeShard) {
  this->rule_.batch_size = 50;
  const TrainingResult whole = this->train();
  EXPECT_EQ(whole.steps, 3);
  for (const std::uint32_t size : {51U, 1000U, UINT32_MAX}) {
    this->rule_.batch_size = size;
    const TrainingResult result = this->train();
    EXPECT_EQ(result.delta, whole.delta);
    EXPECT_EQ(result.loss, whole.loss);
    EXPECT_EQ(result.steps, 3);
  }
}

// At a step too small to change anything, every epoch has the loss of the start.
TYPED_TEST(TrainBatchesTest, LossIsTheMeanOverTheRowsOfAllStepsTimesTheRows) {
  this->rule_.eta = 1e-30;
  const Net net{this->rule_.topology};
  const double expected =
      naive_gradient(net, this->shard_, sound_parameters<TypeParam>(net.topology, 82)).loss;
  EXPECT_NEAR(this->train().loss, expected, 1e-5 * expected);
  // Of one step of two rows, it is 25 times that step's.
  this->rule_.epochs = 0;
  this->rule_.steps_per_round = 1;
  this->rule_.batch_size = 49;
  const double of_49 = this->train(1, {}, {1, 2, 0}).loss * 49 / 50;
  const double of_1 = this->train(1, {}, {2, 2, 0}).loss * 1 / 50;
  EXPECT_NEAR(of_49 + of_1, expected, 1e-5 * expected);
}

TYPED_TEST(TrainBatchesTest, LowersTheLoss) {
  for (const Optimizer optimizer : kOptimizers) {
    for (const Activation activation : kActivations) {
      this->rule_.optimizer = optimizer;
      this->rule_.activation = activation;
      this->rule_.eta = 0.01;
      this->rule_.epochs = 1;
      const double before = this->train().loss;
      this->rule_.epochs = 40;
      EXPECT_LT(this->train().loss, 0.95 * before)
          << name_of(activation) << " " << static_cast<int>(optimizer);
    }
  }
}

TYPED_TEST(TrainBatchesTest, StandardizesTheFeatures) {
  const TrainingResult plain = this->train();
  auto& values = std::get<std::vector<float>>(this->shard_.values);
  for (float& value : values) {
    value = 8 * value + 16;  // Exact, but for bits that the addition takes from all alike.
  }
  Shard back = this->shard_;
  for (float& value : std::get<std::vector<float>>(back.values)) {
    value = (value - 16) / 8;
  }
  this->rule_.standardization = {std::vector<double>(6, 16), std::vector<double>(6, 8)};
  const TrainingResult standardized = this->train();
  this->rule_.standardization = {};
  this->shard_ = back;
  EXPECT_EQ(standardized.delta, this->train().delta);
  EXPECT_NE(standardized.delta, plain.delta);
}

TYPED_TEST(TrainBatchesTest, HasTheSameBitsForAnyNumberOfThreads) {
  this->rule_.topology.units = {16, 128, 64, 26};
  this->rule_.batch_size = 64;
  this->rule_.epochs = 1;
  ASSERT_GT(64 * pass_flop(this->rule_.topology), 2e6);
  this->shard_ = random_shard(200, this->rule_.topology, 83);
  for (const Optimizer optimizer : kOptimizers) {
    this->rule_.optimizer = optimizer;
    const TrainingResult one = this->train(1);
    for (const int threads : {0, 1, 2, 3}) {
      const TrainingResult result = this->train(threads);
      EXPECT_EQ(result.delta, one.delta);
      EXPECT_EQ(result.loss, one.loss);
    }
  }
}

TYPED_TEST(TrainBatchesTest, DoesNothingWhenCancelledBeforehand) {
  std::stop_source stop;
  stop.request_stop();
  const TrainingResult result = this->train(1, stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.steps, 0);
  EXPECT_TRUE(result.delta.empty());
}

TYPED_TEST(TrainBatchesTest, StopsOnRequestBetweenSteps) {
  this->rule_.epochs = UINT32_MAX;
  std::stop_source stop;
  std::jthread canceller([&] { stop.request_stop(); });
  const TrainingResult result = this->train(1, stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_TRUE(result.delta.empty());
}

}  // namespace
}  // namespace gradmill::ml
