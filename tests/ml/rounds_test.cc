// A job cut into rounds is the job in one: the order of rows and the schedule go on.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/parameter_bytes.h"
#include "ml/random_shard.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

/// Jobs of one shard by sgd, which has no state to lose between rounds. Parameters are near one and
/// steps are small: deltas are exact then, and the weights pass through the rounds unchanged.
template <class T>
class RoundsTest : public testing::Test {
 protected:
  RoundsTest() : shard_(random_shard(64, 5, 4, 1)) {
    rule_.topology.units = {5, 9, 4};
    rule_.activation = Activation::kTanh;
    rule_.precision = kPrecisionOf<T>;
    rule_.optimizer = Optimizer::kSgd;
    rule_.eta = 0.01;
    rule_.batch_size = 8;
    rule_.label_smoothing = 0.1;
    start_ = random_parameters<T>(rule_.topology, 0.25, 2);
    for (std::size_t k = 0; k < start_.size(); ++k) {
      start_[k] += k % 2 == 0 ? T(1) : T(-1);
    }
  }

  /// The parameters after a job of `rounds` rounds.
  std::string run(std::uint32_t rounds) const {
    const Samples samples = prepare_samples(shard_, rule_);
    std::string parameters = bytes_from<T>(start_);
    ServerState state;
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      const TrainingResult result =
          train_shard(rule_, samples, parameters, {round, rounds, 0}, 1, {});
      const std::vector<WeightedDelta> deltas = {{result.delta, shard_.rows}};
      parameters = server_step(parameters, deltas, rule_.precision, {}, round, state);
    }
    return parameters;
  }

  std::string run_epochs(std::uint32_t rounds, std::uint32_t epochs) {
    rule_.epochs = epochs;
    rule_.steps_per_round = 0;
    return run(rounds);
  }

  std::string run_steps(std::uint32_t rounds, std::uint32_t steps) {
    rule_.epochs = 0;
    rule_.steps_per_round = steps;
    return run(rounds);
  }

  Shard shard_;
  TrainingRule rule_;
  std::vector<T> start_;
};
TYPED_TEST_SUITE(RoundsTest, Precisions, PrecisionNames);

constexpr Schedule kSchedules[] = {Schedule::kConstant, Schedule::kCosine, Schedule::kOneCycle};

// Positions are multiples of powers of two here, so that they are exact too.
TYPED_TEST(RoundsTest, OfSomeEpochsAreOneRoundOfAll) {
  for (const Schedule schedule : kSchedules) {
    this->rule_.schedule = schedule;
    const std::string one = this->run_epochs(1, 4);
    EXPECT_EQ(this->run_epochs(2, 2), one) << static_cast<int>(schedule);
    EXPECT_EQ(this->run_epochs(4, 1), one) << static_cast<int>(schedule);
  }
}

// Eight steps are an epoch.
TYPED_TEST(RoundsTest, OfLessThanAnEpochAreOneRoundOfAll) {
  for (const Schedule schedule : kSchedules) {
    this->rule_.schedule = schedule;
    const std::string one = this->run_epochs(1, 4);
    for (const std::uint32_t steps : {1U, 2U, 4U, 8U, 16U, 32U}) {
      EXPECT_EQ(this->run_steps(32 / steps, steps), one) << steps;
    }
  }
}

TYPED_TEST(RoundsTest, MayEndInTheMiddleOfAnEpoch) {
  const std::string one = this->run_steps(1, 30);
  EXPECT_EQ(this->run_steps(10, 3), one);
  EXPECT_EQ(this->run_steps(2, 15), one);
  EXPECT_EQ(this->run_steps(3, 10), one);
}

TYPED_TEST(RoundsTest, WalkOnAlsoWhereBatchesDoNotFillTheEpoch) {
  this->shard_ = random_shard(61, 5, 4, 3);
  const std::string one = this->run_steps(1, 24);
  EXPECT_EQ(this->run_steps(3, 8), one);
  EXPECT_EQ(this->run_steps(8, 3), one);
}

// What the tests above rest on: the rows and the schedule do matter to the bits.
TYPED_TEST(RoundsTest, DifferByRowsAndSchedule) {
  const std::string constant = this->run_epochs(1, 1);
  this->rule_.seed = 2;
  const std::string other_rows = this->run_epochs(1, 1);
  EXPECT_NE(other_rows, constant);
  this->rule_.schedule = Schedule::kCosine;
  EXPECT_NE(this->run_epochs(1, 1), other_rows);
}

TYPED_TEST(RoundsTest, ShardsTakeTheirRowsInOrdersOfTheirOwn) {
  this->rule_.epochs = 1;
  const Samples samples = prepare_samples(this->shard_, this->rule_);
  const std::string start = bytes_from<TypeParam>(this->start_);
  const auto delta_of = [&](std::uint32_t shard) {
    return train_shard(this->rule_, samples, start, {1, 1, shard}, 1, {}).delta;
  };
  EXPECT_EQ(delta_of(0), delta_of(0));
  EXPECT_NE(delta_of(0), delta_of(1));
}

}  // namespace
}  // namespace gradmill::ml
