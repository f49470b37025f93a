#include "ml/samples.h"

#include <set>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

TrainingRule rule_of(Precision precision, Optimizer optimizer, std::uint32_t hidden) {
  TrainingRule rule;
  rule.topology.units = {3, hidden, 2};
  rule.precision = precision;
  rule.optimizer = optimizer;
  return rule;
}

TEST(UsesBlocks, ForFullBatchesOnSmallNetworks) {
  EXPECT_TRUE(uses_blocks(rule_of(Precision::kFloat, Optimizer::kGd, 24)));
  EXPECT_FALSE(uses_blocks(rule_of(Precision::kFloat, Optimizer::kGd, 2000)));
  for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kMomentum, Optimizer::kAdam}) {
    EXPECT_FALSE(uses_blocks(rule_of(Precision::kFloat, optimizer, 24)));
  }
}

// Six parameters a hidden unit and two more.
TEST(UsesBlocks, UpToTheirLargestNetwork) {
  EXPECT_TRUE(uses_blocks(rule_of(Precision::kFloat, Optimizer::kGd, 1365)));
  EXPECT_FALSE(uses_blocks(rule_of(Precision::kFloat, Optimizer::kGd, 1366)));
}

TEST(UsesBlocks, NotForSmoothedLabels) {
  TrainingRule rule = rule_of(Precision::kFloat, Optimizer::kGd, 24);
  rule.label_smoothing = 0.1;
  EXPECT_FALSE(uses_blocks(rule));
}

TEST(PrepareSamples, LaysOutForTheKernelAndPrecisionOfTheRule) {
  const Shard shard = random_shard(5, 3, 2, 84);
  const auto layout_of = [&](Precision precision, Optimizer optimizer) {
    return prepare_samples(shard, rule_of(precision, optimizer, 24)).layout;
  };
  using std::holds_alternative;
  EXPECT_TRUE(holds_alternative<SampleBlocks<float>>(layout_of(Precision::kFloat, Optimizer::kGd)));
  EXPECT_TRUE(
      holds_alternative<SampleBlocks<double>>(layout_of(Precision::kDouble, Optimizer::kGd)));
  EXPECT_TRUE(holds_alternative<SampleRows<float>>(layout_of(Precision::kFloat, Optimizer::kSgd)));
  EXPECT_TRUE(
      holds_alternative<SampleRows<double>>(layout_of(Precision::kDouble, Optimizer::kAdam)));
}

TEST(SamplesKey, TellsLayoutsPrecisionsAndStandardizationsApart) {
  std::set<std::string> keys;
  for (const Precision precision : {Precision::kFloat, Precision::kDouble}) {
    for (const Optimizer optimizer : {Optimizer::kGd, Optimizer::kSgd}) {
      TrainingRule rule = rule_of(precision, optimizer, 24);
      keys.insert(samples_key(rule));
      rule.standardization = {{1, 2, 3}, {4, 5, 6}};
      keys.insert(samples_key(rule));
      rule.standardization = {{1, 2, 3}, {4, 5, 7}};
      keys.insert(samples_key(rule));
    }
  }
  EXPECT_EQ(keys.size(), 12);
}

TEST(SamplesKey, IsEqualForRulesThatCanShare) {
  TrainingRule rule = rule_of(Precision::kFloat, Optimizer::kSgd, 24);
  rule.standardization = {{1, 2, 3}, {4, 5, 6}};
  TrainingRule other = rule_of(Precision::kFloat, Optimizer::kAdam, 80);
  other.standardization = rule.standardization;
  other.eta = 1;
  other.seed = 9;
  EXPECT_EQ(samples_key(rule), samples_key(other));
}

}  // namespace
}  // namespace gradmill::ml
