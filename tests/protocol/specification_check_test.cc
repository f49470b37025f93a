#include "protocol/specification_check.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

BlobRef ref_of(const std::string& content, std::uint64_t bytes) { return {sha256(content), bytes}; }

JobSpecification by_epochs() {
  JobSpecification job;
  job.rule.topology.units = {2, 3, 2};
  job.rule.eta = 0.1;
  job.rule.epochs = 1;
  job.rounds = 1;
  job.shards = {ref_of("one", 1)};
  job.validation = {ref_of("two", 1)};
  return job;
}

JobSpecification by_batches() {
  JobSpecification job = by_epochs();
  job.rule.optimizer = ml::Optimizer::kMomentum;
  job.rule.batch_size = 64;
  job.rule.schedule = ml::Schedule::kOneCycle;
  job.rule.label_smoothing = 0.1;
  job.rule.weight_decay = 0.01;
  job.rule.standardization = {{0, -1}, {1, 1e-300}};
  job.server = {ml::ServerOptimizer::kMomentum, 0.7, 0.7};
  return job;
}

using Change = std::function<void(JobSpecification&)>;

std::string refusal(const JobSpecification& sound, const Change& change) {
  JobSpecification job = sound;
  change(job);
  try {
    check_specification(job);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

TEST(SpecificationCheck, TakesWhatIsSound) {
  const std::vector<Change> changes = {
      [](auto& /*job*/) {},
      [](auto& job) {
        job.rule.topology.units = {2, 2};
      },
      [](auto& job) {
        job.rule.topology.units = {2, 65'536, 2};
      },
      [](auto& job) { job.rule.activation = ml::Activation::kMlPy; },
      [](auto& job) { job.rule.min_loss_change = 0; },
      [](auto& job) { job.early_stop = 5; },
      [](auto& job) { job.initial_weights = ref_of("three", 17 * sizeof(float)); },
  };
  for (const Change& change : changes) {
    EXPECT_EQ(refusal(by_epochs(), change), "accepted");
    EXPECT_EQ(refusal(by_batches(), change), "accepted");
  }
  EXPECT_EQ(refusal(by_batches(),
                    [](auto& job) {
                      job.rule.epochs = 0;
                      job.rule.steps_per_round = 1;
                    }),
            "accepted");
}

TEST(SpecificationCheck, NamesWhatBreaksACapOrARange) {
  const std::vector<std::pair<Change, std::string>> wrong = {
      {[](auto& job) { job.rule.topology.units.assign(66, 2); }, "the topology breaks a cap: "},
      {[](auto& job) {
         job.rule.topology.units = {2, 65'537, 2};
       },
       "the topology breaks a cap: "},
      {[](auto& job) {
         job.rule.topology.units = {2, 20'000, 20'000, 2};
       },
       "the topology breaks a cap: "},
      {[](auto& job) { job.rule.topology.units = {}; }, "the topology breaks a cap: "},
      {[](auto& job) {
         job.rule.activation = ml::Activation::kMlPy;
         job.rule.topology.units = {2, 3, 3, 2};
       },
       "activation ml-py is for one hidden layer"},
      {[](auto& job) { job.rule.eta = 0; }, "eta must be above 0"},
      {[](auto& job) { job.rule.eta = HUGE_VAL; }, "eta must be above 0"},
      {[](auto& job) { job.rule.eta = kNan; }, "eta must be above 0"},
      {[](auto& job) { job.rule.min_loss_change = -1; }, "min-loss-change must be 0 or above"},
      {[](auto& job) { job.rule.momentum = 1; }, "momentum must be at least 0 and below 1"},
      {[](auto& job) { job.rule.momentum = kNan; }, "momentum must be at least 0 and below 1"},
      {[](auto& job) { job.rule.weight_decay = -0.1; }, "weight-decay must be 0 or above"},
      {[](auto& job) { job.rule.weight_decay = kNan; }, "weight-decay must be 0 or above"},
      {[](auto& job) { job.rule.label_smoothing = 1; },
       "label-smoothing must be at least 0 and below 1"},
      {[](auto& job) { job.rule.label_smoothing = -0.1; },
       "label-smoothing must be at least 0 and below 1"},
      {[](auto& job) { job.rule.batch_size = 0; }, "batch-size must be 1 to 1000000000"},
      {[](auto& job) { job.rule.batch_size = 1'000'000'001; }, "batch-size must be 1 to"},
      {[](auto& job) { job.rule.epochs = 0; }, "a round has either epochs or steps-per-round"},
      {[](auto& job) { job.rule.steps_per_round = 3; },
       "a round has either epochs or steps-per-round"},
      {[](auto& job) { job.rule.epochs = 1'000'000'001; }, "epochs must be at most 1000000000"},
      {[](auto& job) { job.rule.standardization.mean.pop_back(); }, "a mean and a deviation a"},
      {[](auto& job) { job.rule.standardization.mean.clear(); }, "a mean and a deviation a"},
      {[](auto& job) { job.rule.standardization.deviation.clear(); }, "a mean and a deviation a"},
      {[](auto& job) { job.rule.standardization.mean[1] = kNan; },
       "a mean of the standardization is not finite"},
      {[](auto& job) { job.rule.standardization.deviation[1] = 0; },
       "a deviation of the standardization is not above 0"},
      {[](auto& job) { job.rule.standardization.deviation[1] = HUGE_VAL; },
       "a deviation of the standardization is not above 0"},
      {[](auto& job) { job.server.eta = 0; }, "server-eta must be above 0"},
      {[](auto& job) { job.server.eta = kNan; }, "server-eta must be above 0"},
      {[](auto& job) { job.server.momentum = 1; }, "server-momentum must be at least 0 and below"},
      {[](auto& job) { job.server.optimizer = ml::ServerOptimizer::kAverage; },
       "server-momentum does not go with server-optimizer average"},
      {[](auto& job) { job.rounds = 0; }, "rounds must be 1 to 1000000"},
      {[](auto& job) { job.validate_every = 0; }, "validate-every must be 1 to 1000000"},
      {[](auto& job) { job.early_stop = 1'000'001; }, "early-stop must be at most 1000000"},
      {[](auto& job) { job.shards.clear(); }, "a job has 1 to 50000 training shards"},
      {[](auto& job) { job.validation.clear(); }, "a job has 1 to 50000 validation shards"},
      {[](auto& job) { job.initial_weights = ref_of("x", 16); },
       "the initial weights do not have the size of the topology"},
  };
  for (const auto& [change, message] : wrong) {
    const std::string refused = refusal(by_batches(), change);
    EXPECT_NE(refused.find(message), std::string::npos) << refused << "; wanted: " << message;
  }
}

TEST(SpecificationCheck, GradientDescentTakesNothingOfBatches) {
  const std::vector<std::pair<Change, std::string>> wrong = {
      {[](auto& job) { job.rule.steps_per_round = 1; }, "steps-per-round"},
      {[](auto& job) { job.rule.batch_size = 1; }, "batch-size"},
      {[](auto& job) { job.rule.weight_decay = 0.1; }, "weight-decay"},
      {[](auto& job) { job.rule.label_smoothing = 0.1; }, "label-smoothing"},
      {[](auto& job) { job.rule.schedule = ml::Schedule::kCosine; }, "schedule cosine"},
  };
  for (const auto& [change, field] : wrong) {
    EXPECT_EQ(refusal(by_epochs(), change), field + " does not go with optimizer gd");
  }
}

TEST(SpecificationCheck, AQuorumGoesWithADeadline) {
  const auto set = [](std::uint32_t quorum, std::int64_t deadline_ms) -> Change {
    return [=](auto& job) {
      job.quorum = quorum;
      job.round_deadline = std::chrono::milliseconds(deadline_ms);
    };
  };
  constexpr std::int64_t kWeek = std::int64_t{7} * 24 * 3'600'000;
  EXPECT_EQ(refusal(by_epochs(), set(1, 1)), "accepted");
  EXPECT_EQ(refusal(by_epochs(), set(1, kWeek)), "accepted");
  EXPECT_EQ(refusal(by_epochs(), set(1, 0)), "quorum needs round-deadline");
  EXPECT_EQ(refusal(by_epochs(), set(0, 1)), "round-deadline needs quorum");
  EXPECT_EQ(refusal(by_epochs(), set(2, 1)),
            "quorum must be at most the number of training shards, 1");
  for (const std::int64_t deadline : {std::int64_t{-1}, kWeek + 1}) {
    EXPECT_EQ(refusal(by_epochs(), set(1, deadline)), "round-deadline must be 1 ms to 7 days");
  }
}

TEST(JobId, IsAWordThatNamesNoOtherJobs) {
  for (const char* const id : {"j", "latest-1", "All", "a.b_c-9"}) {
    EXPECT_NO_THROW(check_job_id(id)) << id;
  }
  for (const char* const id : {"", "-j", ".j", "a b", "a/b", "latest", "all"}) {
    EXPECT_THROW(check_job_id(id), Error) << id;
  }
}

TEST(SpecificationCheck, APredictionJobHasItsPlanAndRowsAlone) {
  JobSpecification sound;
  sound.prediction = PredictionPlan{.model = {.model = "m",
                                              .version = 1,
                                              .file = {sha256("file"), 4},
                                              .features = 2,
                                              .labels = {"A"}},
                                    .batch_rows = 10};
  sound.shards = {{sha256("one"), 1}};
  EXPECT_NO_THROW(check_specification(sound));
  const std::vector<std::function<void(JobSpecification&)>> wrongs = {
      [](auto& job) { job.shards.clear(); },
      [](auto& job) { job.shards.assign(kShardsMax + 1, job.shards[0]); },
      [](auto& job) { job.rounds = 1; },
      [](auto& job) { job.rule.seed = 2; },
      [](auto& job) { job.server.momentum = 0.5; },
      [](auto& job) { job.validation = job.shards; },
      [](auto& job) { job.quorum = 1; },
      [](auto& job) { job.prediction->batch_rows = 0; },
      [](auto& job) { job.prediction->batch_rows = kBatchRowsMax + 1; },
      [](auto& job) { job.prediction->model.labels.clear(); }};
  for (std::size_t n = 0; n < wrongs.size(); ++n) {
    JobSpecification job = sound;
    wrongs[n](job);
    EXPECT_THROW(check_specification(job), Error) << n;
  }
}

TEST(SpecificationCheck, ABatchFitsInACall) {
  EXPECT_EQ(batch_rows_max(ElementType::kByte, 16), 262'144U);
  EXPECT_EQ(batch_rows_max(ElementType::kFloat, 16), 65'536U);
  EXPECT_EQ(batch_rows_max(ElementType::kByte, 1), kBatchRowsMax);
  EXPECT_EQ(batch_rows_max(ElementType::kFloat, 65'536), 16U);
}

}  // namespace
}  // namespace gradmill
