#include "client/request/preset.h"

#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

TEST(Preset, IsOneThatEveryCoordinatorTakes) {
  for (const Preset& preset : presets()) {
    JobSpecification job;
    job.rule.topology.units = {16};
    job.rule.topology.units.insert(
        job.rule.topology.units.end(), preset.hidden.begin(), preset.hidden.end());
    job.rule.topology.units.push_back(26);
    job.rule.activation = preset.activation;
    job.rule.optimizer = preset.optimizer;
    job.rule.eta = preset.eta;
    job.rule.epochs = preset.epochs;
    job.rule.steps_per_round = preset.steps_per_round;
    job.rule.batch_size = preset.batch_size;
    job.rule.momentum = preset.momentum;
    job.rule.weight_decay = preset.weight_decay;
    job.rule.label_smoothing = preset.label_smoothing;
    job.rule.schedule = preset.schedule;
    job.server = preset.server;
    job.rounds = preset.rounds;
    job.shards = job.validation = {{sha256("shard"), 1}};
    EXPECT_NO_THROW(check_specification(job)) << preset.name;
    EXPECT_NE(preset.optimizer, ml::Optimizer::kGd) << preset.name;
  }
}

TEST(Preset, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Preset& preset : presets()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"accurate", "fast"}));
}

}  // namespace
}  // namespace gradmill::client
