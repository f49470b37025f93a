// Steps so large that nothing finite comes of them: the task says so, and gives no delta.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"
#include "ml/parameter_bytes.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

constexpr Optimizer kOptimizers[] = {
    Optimizer::kGd, Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam};

template <class T>
class DivergenceTest : public testing::Test {
 protected:
  static constexpr double kHuge = sizeof(T) == sizeof(double) ? 1e300 : 1e37;

  static TrainingRule rule_of(Optimizer optimizer, double eta, std::uint32_t hidden = 8) {
    TrainingRule rule;
    rule.topology.units = {6, hidden, hidden, 4};
    rule.precision = kPrecisionOf<T>;
    rule.optimizer = optimizer;
    rule.eta = eta;
    rule.epochs = 10;
    rule.batch_size = optimizer == Optimizer::kGd ? 0 : 8;
    rule.min_loss_change = 0;
    return rule;
  }

  static TrainingResult train(const TrainingRule& rule, const std::vector<T>& start) {
    const Shard shard = random_shard(50, rule.topology, 1);
    return train_shard(rule, prepare_samples(shard, rule), bytes_from<T>(start), {}, 1, {});
  }
  static TrainingResult train(const TrainingRule& rule) {
    return train(rule, sound_parameters<T>(rule.topology, 2));
  }
};
TYPED_TEST_SUITE(DivergenceTest, Precisions, PrecisionNames);

TYPED_TEST(DivergenceTest, IsReportedWithoutADelta) {
  for (const Optimizer optimizer : kOptimizers) {
    for (const std::uint32_t hidden : {8U, 130U}) {
      const TrainingResult result = this->train(this->rule_of(optimizer, this->kHuge, hidden));
      EXPECT_TRUE(result.diverged) << static_cast<int>(optimizer) << ", " << hidden;
      EXPECT_TRUE(result.delta.empty());
      EXPECT_FALSE(result.cancelled);
    }
  }
}

// Whatever the step and the function of the units: a finite delta, or none.
TYPED_TEST(DivergenceTest, NeverLetsNanThrough) {
  for (const Optimizer optimizer : kOptimizers) {
    for (const Activation activation : kActivations) {
      for (double eta = 1e-2; eta < this->kHuge; eta *= 1e3) {
        TrainingRule rule = this->rule_of(optimizer, eta);
        rule.activation = activation;
        rule.weight_decay = optimizer == Optimizer::kAdam ? 0.1 : 0;
        const TrainingResult result = this->train(rule);
        SCOPED_TRACE(std::to_string(eta) + " " + name_of(activation));
        EXPECT_EQ(result.delta.empty(), result.diverged);
        EXPECT_TRUE(all_finite(result.delta, rule.precision));
        EXPECT_TRUE(result.diverged || std::isfinite(result.loss));
      }
    }
  }
}

TYPED_TEST(DivergenceTest, IsReportedForParametersThatAreNotFinite) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const Optimizer optimizer : kOptimizers) {
    for (const Activation activation : kActivations) {
      TrainingRule rule = this->rule_of(optimizer, 0.01);
      rule.activation = activation;
      const std::vector<TypeParam> sound = sound_parameters<TypeParam>(rule.topology, 2);
      for (const TypeParam value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        for (const std::size_t place : {std::size_t{0}, sound.size() / 2, sound.size() - 1}) {
          std::vector<TypeParam> start = sound;
          start[place] = value;
          const TrainingResult result = this->train(rule, start);
          EXPECT_TRUE(result.diverged) << name_of(activation) << " " << value << " " << place;
          EXPECT_TRUE(result.delta.empty());
        }
      }
    }
  }
}

// The last step may be the one that goes too far: no loss comes after it.
TYPED_TEST(DivergenceTest, IsSeenInTheParametersOfTheLastStep) {
  for (const Optimizer optimizer : kOptimizers) {
    TrainingRule rule = this->rule_of(optimizer, std::numeric_limits<TypeParam>::max());
    rule.epochs = optimizer == Optimizer::kGd ? 1 : 0;
    rule.steps_per_round = optimizer == Optimizer::kGd ? 0 : 1;
    rule.weight_decay = optimizer == Optimizer::kGd ? 0 : 2;
    std::vector<TypeParam> start = sound_parameters<TypeParam>(rule.topology, 2);
    const TrainingResult result = this->train(rule, start);
    EXPECT_EQ(result.delta.empty(), result.diverged) << static_cast<int>(optimizer);
    EXPECT_TRUE(std::isfinite(result.loss));
    EXPECT_TRUE(all_finite(result.delta, rule.precision));
  }
}

}  // namespace
}  // namespace gradmill::ml
