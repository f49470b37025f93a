// A trainer that goes from task to task and from job to job.
#include "ml/trainer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ml/gradients.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

/// Jobs that differ in one thing each, so that what is kept suits some and not others.
std::vector<TrainingRule> different_rules() {
  TrainingRule rule;
  rule.topology.units = {6, 20, 4};
  rule.optimizer = Optimizer::kAdam;
  rule.eta = 0.01;
  rule.batch_size = 8;
  rule.epochs = 2;
  std::vector<TrainingRule> rules(7, rule);
  rules[1].optimizer = Optimizer::kMomentum;
  rules[2].label_smoothing = 0.2;
  rules[3].activation = Activation::kTanh;
  rules[4].topology.units = {6, 30, 4};
  rules[5].precision = Precision::kDouble;
  rules[6].optimizer = Optimizer::kGd;
  rules[6].eta = 1e-3;
  return rules;
}

TEST(Trainer, GivesTheSameBitsAsOneForEachTask) {
  const Shard shard = random_shard(50, 6, 4, 5);
  Trainer trainer(1);
  for (std::uint32_t round = 1; round <= 2; ++round) {
    for (const TrainingRule& rule : different_rules()) {
      const Samples samples = prepare_samples(shard, rule);
      const std::string parameters = initial_parameter_bytes(rule);
      const TaskPosition position = {.round = round, .rounds = 2, .shard = 3};
      for (int repeat = 0; repeat < 2; ++repeat) {
        const TrainingResult kept = trainer.train(rule, samples, parameters, position, {});
        const TrainingResult fresh = train_shard(rule, samples, parameters, position, 1, {});
        EXPECT_EQ(kept.delta, fresh.delta);
        EXPECT_EQ(kept.loss, fresh.loss);
        EXPECT_EQ(trainer.count_errors(rule, samples, parameters),
                  count_errors(rule, samples, parameters, 1));
      }
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
