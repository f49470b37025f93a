// train_shard in mini-batches against plain loops over the twin's gradients in double, as the
// optimisers' papers have them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"
#include "ml/parameter_bytes.h"
#include "ml/row_order.h"
#include "ml/schedule.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

/// One task's optimiser, on flat parameters.
class Twin {
 public:
  Twin(const TrainingRule& rule, std::size_t size)
      : rule_(rule), first_(size), second_(size), is_weight_(size, true) {
    for (const LayerView& layer : layer_views(rule.topology)) {
      for (std::size_t k = layer.bias; k < layer.bias + layer.out; ++k) {
        is_weight_[k] = false;
      }
    }
  }

  /// Moves by `gradient`, which is the mean over the batch.
  void step(std::vector<double>& parameters, const std::vector<double>& gradient, double factor) {
    ++steps_;
    const double eta = rule_.eta * factor;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const double decay = is_weight_[k] ? eta * rule_.weight_decay * parameters[k] : 0;
      parameters[k] -= eta * direction(k, gradient[k]) + decay;
    }
  }

 private:
  double direction(std::size_t k, double gradient) {
    switch (rule_.optimizer) {
      case Optimizer::kMomentum:
        first_[k] = rule_.momentum * first_[k] + gradient;
        return gradient + rule_.momentum * first_[k];
      case Optimizer::kAdam: {
        first_[k] = 0.9 * first_[k] + 0.1 * gradient;
        second_[k] = 0.999 * second_[k] + 0.001 * gradient * gradient;
        const double mean = first_[k] / (1 - std::pow(0.9, steps_));
        const double square = second_[k] / (1 - std::pow(0.999, steps_));
        return mean / std::sqrt(square + 1e-8 * 1e-8);
      }
      default:
        return gradient;
    }
  }

  TrainingRule rule_;
  std::vector<double> first_;
  std::vector<double> second_;
  std::vector<bool> is_weight_;
  int steps_ = 0;
};

struct TwinResult {
  std::vector<double> parameters;
  double loss = 0;
};

TwinResult train_twin(const TrainingRule& rule,
                      const Shard& shard,
                      const std::vector<double>& start,
                      const TaskPosition& position) {
  const Net net{rule.topology, rule.activation, rule.label_smoothing};
  const std::uint32_t batch_size = std::min(rule.batch_size, shard.rows);
  const std::uint64_t in_epoch = (shard.rows + batch_size - 1) / batch_size;
  const std::uint64_t steps =
      rule.steps_per_round > 0 ? rule.steps_per_round : rule.epochs * in_epoch;
  RowOrder order(rule.seed, position.shard, shard.rows, batch_size, (position.round - 1) * steps);
  Twin twin(rule, start.size());
  TwinResult result{start, 0};
  std::size_t seen = 0;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const auto rows = order.next();
    Gradient<double> gradient =
        naive_gradient(net, shard_of_rows(shard, {rows.begin(), rows.end()}), result.parameters);
    for (double& value : gradient.descent) {
      value /= -static_cast<double>(rows.size());
    }
    twin.step(result.parameters,
              gradient.descent,
              schedule_factor(rule.schedule, schedule_position(position, step, steps)));
    result.loss += gradient.loss;
    seen += rows.size();
  }
  result.loss *= shard.rows / static_cast<double>(seen);
  return result;
}

template <class T>
class OptimizerTwinTest : public testing::Test {
 protected:
  OptimizerTwinTest() {
    rule_.topology.units = {5, 17, 9, 4};
    rule_.activation = Activation::kTanh;
    rule_.precision = kPrecisionOf<T>;
    rule_.batch_size = 8;
    rule_.epochs = 2;
    rule_.label_smoothing = 0.1;
    rule_.weight_decay = 0.02;
    rule_.seed = 77;
  }

  /// Three rounds of shard 3, each from where the last one ended.
  void expect_twin(std::uint32_t rows) const {
    const Shard shard = random_shard(rows, rule_.topology, rows);
    const Samples samples = prepare_samples(shard, rule_);
    std::vector<T> parameters = sound_parameters<T>(rule_.topology, 5);
    std::vector<double> expected(parameters.begin(), parameters.end());
    for (std::uint32_t round = 1; round <= 3; ++round) {
      SCOPED_TRACE(round);
      const TaskPosition position{round, 3, 3};
      const TrainingResult result =
          train_shard(rule_, samples, bytes_from<T>(parameters), position, 1, {});
      const TwinResult twin = train_twin(rule_, shard, expected, position);
      EXPECT_NEAR(result.loss, twin.loss, kTolerance * twin.loss);
      const std::vector<T> delta = parameters_from<T>(result.delta);
      ASSERT_EQ(delta.size(), expected.size());
      for (std::size_t k = 0; k < delta.size(); ++k) {
        parameters[k] += delta[k];
        ASSERT_NEAR(static_cast<double>(parameters[k]), twin.parameters[k], kTolerance) << k;
      }
      expected = twin.parameters;
    }
  }

  void use(Optimizer optimizer) {
    rule_.optimizer = optimizer;
    rule_.eta = optimizer == Optimizer::kAdam ? 0.01 : 0.1;
  }

  static constexpr double kTolerance = sizeof(T) == sizeof(double) ? 1e-9 : 1e-3;
  TrainingRule rule_;
};
TYPED_TEST_SUITE(OptimizerTwinTest, Precisions, PrecisionNames);

constexpr Optimizer kOptimizers[] = {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam};

TYPED_TEST(OptimizerTwinTest, SgdStepsByTheMeanGradient) {
  this->use(Optimizer::kSgd);
  this->expect_twin(37);
}

TYPED_TEST(OptimizerTwinTest, MomentumIsNesterovs) {
  this->use(Optimizer::kMomentum);
  this->expect_twin(37);
  this->rule_.momentum = 0.5;
  this->expect_twin(37);
  this->rule_.momentum = 0;
  this->expect_twin(37);
}

TYPED_TEST(OptimizerTwinTest, AdamCorrectsItsBiases) {
  this->use(Optimizer::kAdam);
  this->expect_twin(37);
}

TYPED_TEST(OptimizerTwinTest, SchedulesGoOverAllRounds) {
  for (const Optimizer optimizer : kOptimizers) {
    this->use(optimizer);
    for (const Schedule schedule : {Schedule::kCosine, Schedule::kOneCycle}) {
      this->rule_.schedule = schedule;
      this->expect_twin(21);
    }
  }
}

TYPED_TEST(OptimizerTwinTest, RoundsOfStepsGoThroughTheEpochs) {
  for (const Optimizer optimizer : kOptimizers) {
    this->use(optimizer);
    this->rule_.epochs = 0;
    // Five steps are an epoch of 37 rows.
    for (const std::uint32_t steps : {1U, 3U, 5U, 13U}) {
      this->rule_.steps_per_round = steps;
      this->expect_twin(37);
    }
  }
}

TYPED_TEST(OptimizerTwinTest, TakesBatchesOfAnySize) {
  for (const Optimizer optimizer : kOptimizers) {
    this->use(optimizer);
    // 33: a last batch of one row; 5: a batch larger than the shard; 1: one row in all.
    for (const std::uint32_t rows : {1U, 5U, 8U, 33U}) {
      this->expect_twin(rows);
    }
    this->rule_.batch_size = 1;
    this->expect_twin(5);
    this->rule_.batch_size = UINT32_MAX;
    this->expect_twin(5);
    this->rule_.batch_size = 8;
  }
}

TYPED_TEST(OptimizerTwinTest, DecaysWeightsAlone) {
  this->rule_.weight_decay = 0.5;
  for (const Optimizer optimizer : kOptimizers) {
    this->use(optimizer);
    this->expect_twin(20);
  }
  this->rule_.weight_decay = 0;
  this->use(Optimizer::kSgd);
  this->expect_twin(20);
}

TYPED_TEST(OptimizerTwinTest, TrainsPanelsOfEveryWidth) {
  this->rule_.topology.units = {3, 97, 65, 2};
  this->rule_.epochs = 1;
  for (const Optimizer optimizer : kOptimizers) {
    this->use(optimizer);
    this->expect_twin(17);
  }
}

// Relu has kinks, at which rounding may send float another way.
TEST(OptimizerTwin, TrainsEveryActivation) {
  for (const Activation activation : kActivations) {
    TrainingRule rule;
    rule.topology.units = {5, 17, 4};
    rule.activation = activation;
    rule.precision = Precision::kDouble;
    rule.optimizer = Optimizer::kAdam;
    rule.eta = 0.01;
    rule.batch_size = 8;
    rule.epochs = 2;
    const Shard shard = random_shard(37, rule.topology, 1);
    const std::vector<double> start = sound_parameters<double>(rule.topology, 2);
    const TrainingResult result =
        train_shard(rule, prepare_samples(shard, rule), bytes_from<double>(start), {}, 1, {});
    const TwinResult twin = train_twin(rule, shard, start, {});
    EXPECT_NEAR(result.loss, twin.loss, 1e-9 * twin.loss);
    const std::vector<double> delta = parameters_from<double>(result.delta);
    for (std::size_t k = 0; k < delta.size(); ++k) {
      ASSERT_NEAR(start[k] + delta[k], twin.parameters[k], 1e-9) << name_of(activation) << " " << k;
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
