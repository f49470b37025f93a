// train_shard as the course has it: one step a pass over the shard.
#include "ml/train_shard.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"
#include "ml/initial_parameters.h"
#include "ml/parameter_bytes.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

template <class T>
class TrainShardTest : public testing::Test {
 protected:
  TrainShardTest() : shard_(random_shard(500, 6, 4, 81)) {
    rule_.topology.units = {6, 8, 4};
    rule_.precision = kPrecisionOf<T>;
    rule_.eta = 1e-3;
    rule_.epochs = 30;
    rule_.min_loss_change = 0;
    // Larger than a job's first weights, so that the loss moves from the first step.
    start_ = random_parameters<T>(rule_.topology, 0.5, 82);
  }

  /// One full run by the rule's own words: epochs and losses, never stopping early.
  struct History {
    std::vector<double> losses;
    std::vector<std::vector<T>> parameters;  ///< Before each epoch, and after the last.
  };
  History run() const {
    History history;
    std::vector<T> now = start_;
    const Net net{rule_.topology, rule_.activation};
    for (std::uint32_t epoch = 0; epoch < rule_.epochs; ++epoch) {
      history.parameters.push_back(now);
      const Gradient<T> gradient = uses_blocks(rule_)
                                       ? block_gradient<T>(net, shard_, now)
                                       : batch_gradient<T>(net, shard_, all_rows(shard_), now);
      history.losses.push_back(gradient.loss);
      for (std::size_t k = 0; k < now.size(); ++k) {
        now[k] += static_cast<T>(rule_.eta) * gradient.descent[k];
      }
    }
    history.parameters.push_back(now);
    return history;
  }

  TrainingResult train(int threads = 1, const std::stop_token& stop = {}) const {
    return train_shard(
        rule_, prepare_samples(shard_, rule_), bytes_from<T>(start_), {}, threads, stop);
  }

  /// The delta from the start to `parameters`.
  std::vector<T> delta_to(const std::vector<T>& parameters) const {
    std::vector<T> delta = parameters;
    for (std::size_t k = 0; k < delta.size(); ++k) {
      delta[k] -= start_[k];
    }
    return delta;
  }

  Shard shard_;
  TrainingRule rule_;
  std::vector<T> start_;
};
TYPED_TEST_SUITE(TrainShardTest, Precisions, PrecisionNames);

TYPED_TEST(TrainShardTest, StepsOnceAnEpochAndReturnsNewMinusOld) {
  const auto history = this->run();
  const TrainingResult result = this->train();
  EXPECT_EQ(result.epochs, 30);
  EXPECT_EQ(result.steps, 30);
  EXPECT_EQ(result.loss, history.losses.back());
  EXPECT_FALSE(result.cancelled);
  EXPECT_FALSE(result.diverged);
  EXPECT_EQ(parameters_from<TypeParam>(result.delta), this->delta_to(history.parameters.back()));
  EXPECT_LT(result.loss, history.losses.front());
}

// At each possible place: the loss is compared before the step, so stopping at the loss number k,
// counted from 0, leaves k steps made.
TYPED_TEST(TrainShardTest, StopsAtTheFirstChangeNotAboveTheLimitBeforeItsStep) {
  const auto history = this->run();
  std::vector<double> changes;
  for (std::size_t k = 1; k < history.losses.size(); ++k) {
    changes.push_back(std::abs(history.losses[k] - history.losses[k - 1]));
  }
  for (const double limit : changes) {
    this->rule_.min_loss_change = limit;
    std::size_t stop = 1;
    while (changes[stop - 1] > limit) {
      ++stop;
    }
    const TrainingResult result = this->train();
    EXPECT_EQ(result.epochs, stop);
    EXPECT_EQ(result.loss, history.losses[stop]);
    EXPECT_EQ(parameters_from<TypeParam>(result.delta), this->delta_to(history.parameters[stop]));
  }
}

TYPED_TEST(TrainShardTest, GoesOnWhileTheLossChangesByMore) {
  const auto history = this->run();
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k < history.losses.size(); ++k) {
    least = std::min(least, std::abs(history.losses[k] - history.losses[k - 1]));
  }
  this->rule_.min_loss_change = std::nextafter(least, 0);
  EXPECT_EQ(this->train().epochs, 30);
}

TYPED_TEST(TrainShardTest, StopsOnARisingLossToo) {
  this->rule_.eta = -1e-4;  // Uphill: what counts is the size of the change.
  const auto history = this->run();
  ASSERT_GT(history.losses[1], history.losses[0]);
  this->rule_.min_loss_change = (history.losses[1] - history.losses[0]) / 2;
  EXPECT_EQ(this->train().epochs, 30);
  this->rule_.min_loss_change = 2 * (history.losses[1] - history.losses[0]);
  EXPECT_EQ(this->train().epochs, 1);
}

TYPED_TEST(TrainShardTest, NeverStopsOnItsOwnWithTheLimitOff) {
  this->rule_.eta = 1e-30;  // No step changes anything, so the loss stays as it is.
  this->rule_.min_loss_change = 0;
  const TrainingResult result = this->train();
  EXPECT_EQ(result.epochs, 30);
  EXPECT_EQ(parameters_from<TypeParam>(result.delta),
            std::vector<TypeParam>(this->start_.size(), 0));
  this->rule_.min_loss_change = 1e-300;
  EXPECT_EQ(this->train().epochs, 1);
}

TYPED_TEST(TrainShardTest, MakesItsFirstStepWhateverTheLimit) {
  this->rule_.min_loss_change = std::numeric_limits<double>::infinity();
  EXPECT_EQ(this->train().epochs, 1);
  this->rule_.epochs = 1;
  EXPECT_EQ(this->train().epochs, 1);
}

TYPED_TEST(TrainShardTest, DoesNothingWhenCancelledBeforehand) {
  std::stop_source stop;
  stop.request_stop();
  const TrainingResult result = this->train(1, stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.epochs, 0);
}

// Billions of epochs: it ends because it looks at `stop` while it runs.
TYPED_TEST(TrainShardTest, StopsOnRequestBetweenEpochs) {
  this->rule_.epochs = UINT32_MAX;
  std::stop_source stop;
  std::jthread canceller([&] { stop.request_stop(); });
  EXPECT_TRUE(this->train(1, stop.get_token()).cancelled);
}

TYPED_TEST(TrainShardTest, HasTheSameBitsForAnyNumberOfThreads) {
  this->shard_ = random_shard(1700, 6, 4, 83);
  const TrainingResult one = this->train(1);
  for (const int threads : {0, 2, 3, 5}) {
    const TrainingResult result = this->train(threads);
    EXPECT_EQ(result.delta, one.delta);
    EXPECT_EQ(result.loss, one.loss);
  }
}

// Networks too large for BlockKernel go through the other one, to the same effect.
TYPED_TEST(TrainShardTest, StepsAlikeOnLargeNetworks) {
  this->rule_.topology.units = {6, 130, 65, 4};
  this->rule_.epochs = 5;
  this->shard_ = random_shard(50, 6, 4, 84);
  this->start_ = sound_parameters<TypeParam>(this->rule_.topology, 85);
  ASSERT_FALSE(uses_blocks(this->rule_));
  const auto history = this->run();
  for (const int threads : {1, 3}) {
    const TrainingResult result = this->train(threads);
    EXPECT_EQ(result.epochs, 5);
    EXPECT_EQ(result.loss, history.losses.back());
    EXPECT_EQ(parameters_from<TypeParam>(result.delta), this->delta_to(history.parameters.back()));
  }
}

// The course's rule takes all rows: neither the place in the job nor the seed of its order matters.
TYPED_TEST(TrainShardTest, HasTheSameBitsInEveryRoundAndShard) {
  const Samples samples = prepare_samples(this->shard_, this->rule_);
  const std::string start = bytes_from<TypeParam>(this->start_);
  const TrainingResult first = train_shard(this->rule_, samples, start, {1, 9, 0}, 1, {});
  const TrainingResult later = train_shard(this->rule_, samples, start, {7, 9, 3}, 1, {});
  EXPECT_EQ(later.delta, first.delta);
  EXPECT_EQ(later.loss, first.loss);
}

TYPED_TEST(TrainShardTest, CountsErrorsAsTheTwin) {
  for (const std::uint32_t hidden : {8U, 130U}) {
    this->rule_.topology.units = {6, hidden, hidden, 4};
    const auto parameters = sound_parameters<TypeParam>(this->rule_.topology, 86);
    for (const Activation activation : kActivations) {
      this->rule_.activation = activation;
      EXPECT_EQ(count_errors(this->rule_,
                             prepare_samples(this->shard_, this->rule_),
                             bytes_from<TypeParam>(parameters),
                             2),
                count_errors_naive<TypeParam>(
                    this->rule_.topology, activation, this->shard_, parameters));
    }
  }
}

TYPED_TEST(TrainShardTest, StartsJobsFromTheInitialParameters) {
  this->rule_.seed = 5;
  EXPECT_EQ(parameters_from<TypeParam>(initial_parameter_bytes(this->rule_)),
            initial_parameters<TypeParam>(this->rule_));
}

TYPED_TEST(TrainShardTest, DiesOfParametersOfAnotherSize) {
  this->start_.pop_back();
  EXPECT_DEATH(static_cast<void>(this->train()), "gradmill: bug:");
}

}  // namespace
}  // namespace gradmill::ml
