#include "wire/job_convert.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "wire/refusals.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

gradmill::JobSpecification specification() {
  gradmill::JobSpecification job;
  job.rule = {.topology = {{2, 5, 4, 3}},
              .activation = ml::Activation::kTanh,
              .precision = ml::Precision::kDouble,
              .optimizer = ml::Optimizer::kMomentum,
              .eta = 0.1,
              .epochs = 0,
              .steps_per_round = 7,
              .batch_size = 16,
              .momentum = 0.8,
              .weight_decay = 0.01,
              .label_smoothing = 0.1,
              .schedule = ml::Schedule::kOneCycle,
              .min_loss_change = 0.3,
              .seed = 11,
              .standardization = {{0.1, -1e-310}, {0.3, 5e300}}};
  job.server = {ml::ServerOptimizer::kAdam, 0.01, 0.9};
  job.rounds = 24;
  job.early_stop = 6;
  job.validate_every = 4;
  job.quorum = 1;
  job.round_deadline = std::chrono::milliseconds(1500);
  job.shards = {{sha256("one"), 1}, {sha256("two"), 2}};
  job.validation = {{sha256("three"), 3}};
  job.initial_weights = gradmill::BlobRef{sha256("four"), 4};
  return job;
}

void expect_equal(const gradmill::JobSpecification& a, const gradmill::JobSpecification& b) {
  EXPECT_EQ(job_digest(a), job_digest(b));
  EXPECT_EQ(a.rule.epochs, b.rule.epochs);
  EXPECT_EQ(a.rule.momentum, b.rule.momentum);
  EXPECT_EQ(a.rule.min_loss_change, b.rule.min_loss_change);
  EXPECT_EQ(a.rule.standardization, b.rule.standardization);
  EXPECT_EQ(a.server.momentum, b.server.momentum);
  EXPECT_EQ(a.early_stop, b.early_stop);
  EXPECT_EQ(a.validate_every, b.validate_every);
  EXPECT_EQ(a.quorum, b.quorum);
  EXPECT_EQ(a.round_deadline, b.round_deadline);
  EXPECT_EQ(a.blobs(), b.blobs());
}

TEST(JobConvert, SpecificationsComeBackAsTheyWere) {
  const gradmill::JobSpecification job = specification();
  expect_equal(specification_from(to_wire(job)), job);
}

TEST(JobConvert, EveryChoiceComesBackAsItWas) {
  gradmill::JobSpecification job = specification();
  job.rule.topology.units = {2, 5, 3};
  for (const ml::Activation activation : {ml::Activation::kRelu,
                                          ml::Activation::kTanh,
                                          ml::Activation::kSigmoid,
                                          ml::Activation::kMlPy}) {
    job.rule.activation = activation;
    EXPECT_EQ(specification_from(to_wire(job)).rule.activation, activation);
  }
  for (const ml::Optimizer optimizer :
       {ml::Optimizer::kSgd, ml::Optimizer::kMomentum, ml::Optimizer::kAdam}) {
    job.rule.optimizer = optimizer;
    EXPECT_EQ(specification_from(to_wire(job)).rule.optimizer, optimizer);
  }
  for (const ml::Schedule schedule :
       {ml::Schedule::kConstant, ml::Schedule::kCosine, ml::Schedule::kOneCycle}) {
    job.rule.schedule = schedule;
    EXPECT_EQ(specification_from(to_wire(job)).rule.schedule, schedule);
  }
  for (const ml::ServerOptimizer optimizer :
       {ml::ServerOptimizer::kMomentum, ml::ServerOptimizer::kAdam}) {
    job.server.optimizer = optimizer;
    EXPECT_EQ(specification_from(to_wire(job)).server.optimizer, optimizer);
  }
  job.rule = {.topology = {{2, 3}}, .eta = 1, .epochs = 2, .standardization = {}};
  job.server = {};
  const gradmill::JobSpecification back = specification_from(to_wire(job));
  EXPECT_EQ(back.rule.optimizer, ml::Optimizer::kGd);
  EXPECT_EQ(back.server.optimizer, ml::ServerOptimizer::kAverage);
  EXPECT_TRUE(back.rule.standardization.empty());
}

TEST(JobConvert, NamesTheFieldThatIsWrong) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  using Change = std::function<void(JobSpecification&)>;
  const std::vector<std::pair<std::string, Change>> wrong = {
      {"a layer's number of units", [](auto& job) { job.rule.units[1] = -1; }},
      {"too many layers", [](auto& job) { job.rule.units.assign(66, 1); }},
      {"the topology", [](auto& job) { job.rule.units.clear(); }},
      {"the activation", [](auto& job) { job.rule.activation = Activation::UNKNOWN; }},
      {"the activation", [](auto& job) { job.rule.activation = static_cast<Activation::type>(5); }},
      {"the precision", [](auto& job) { job.rule.precision = Precision::UNKNOWN; }},
      {"the optimizer", [](auto& job) { job.rule.optimizer = Optimizer::UNKNOWN; }},
      {"the optimizer", [](auto& job) { job.rule.optimizer = static_cast<Optimizer::type>(7); }},
      {"the schedule", [](auto& job) { job.rule.schedule = Schedule::UNKNOWN; }},
      {"eta", [](auto& job) { job.rule.eta = kNan; }},
      {"the number of epochs", [](auto& job) { job.rule.epochs = -1; }},
      {"epochs or steps", [](auto& job) { job.rule.epochs = 1; }},
      {"the steps per round", [](auto& job) { job.rule.steps_per_round = -1; }},
      {"the batch size", [](auto& job) { job.rule.batch_size = -1; }},
      {"batch-size", [](auto& job) { job.rule.batch_size = 0; }},
      {"momentum", [](auto& job) { job.rule.momentum = 1; }},
      {"weight-decay", [](auto& job) { job.rule.weight_decay = -1; }},
      {"label-smoothing", [](auto& job) { job.rule.label_smoothing = kNan; }},
      {"the seed", [](auto& job) { job.rule.seed = -1; }},
      {"a mean and a deviation a feature", [](auto& job) { job.rule.mean.assign(65'536, 0); }},
      {"a mean and a deviation a feature", [](auto& job) { job.rule.deviation.clear(); }},
      {"a mean", [](auto& job) { job.rule.mean[0] = kNan; }},
      {"a deviation", [](auto& job) { job.rule.deviation[1] = 0; }},
      {"the server optimizer", [](auto& job) { job.server = {}; }},
      {"server-eta", [](auto& job) { job.server.eta = -1; }},
      {"server-momentum", [](auto& job) { job.server.momentum = 1; }},
      {"the number of rounds", [](auto& job) { job.rounds = -1; }},
      {"an early stop", [](auto& job) { job.early_stop = -1; }},
      {"the quorum", [](auto& job) { job.quorum = -1; }},
      {"the deadline of a round", [](auto& job) { job.round_deadline_ms = -1; }},
      {"the deadline of a round",
       [](auto& job) { job.round_deadline_ms = std::numeric_limits<std::int64_t>::max(); }},
      {"a shard", [](auto& job) { job.shards[0].digest = "short"; }},
  };
  for (const auto& [field, change] : wrong) {
    JobSpecification job = to_wire(specification());
    change(job);
    try {
      static_cast<void>(specification_from(job));
      ADD_FAILURE() << field << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find(field), std::string::npos) << error.what();
    }
  }
}

gradmill::JobSpecification prediction_job() {
  gradmill::JobSpecification job;
  job.prediction = gradmill::PredictionPlan{.model = {.model = "m",
                                                      .version = 3,
                                                      .file = {sha256("file"), 7},
                                                      .features = 2,
                                                      .labels = {"A", "B"}},
                                            .batch_rows = 100,
                                            .labelled = true};
  job.shards = {{sha256("one"), 1}, {sha256("two"), 2}};
  return job;
}

TEST(JobConvert, APredictionJobComesBackAsItWas) {
  const gradmill::JobSpecification job = prediction_job();
  const gradmill::JobSpecification back = specification_from(to_wire(job));
  expect_equal(back, job);
  ASSERT_TRUE(back.prediction);
  EXPECT_EQ(back.prediction->model.model, "m");
  EXPECT_EQ(back.prediction->model.version, 3U);
  EXPECT_EQ(back.prediction->model.file, job.prediction->model.file);
  EXPECT_EQ(back.prediction->model.features, 2U);
  EXPECT_EQ(back.prediction->model.labels, job.prediction->model.labels);
  EXPECT_EQ(back.prediction->batch_rows, 100U);
  EXPECT_TRUE(back.prediction->labelled);
}

TEST(JobConvert, NamesWhatIsWrongOfAPredictionJob) {
  const Wrongs<JobSpecification> wrongs = {
      {"the model", [](auto& job) { job.prediction.model = "a/b"; }},
      {"the version of the model", [](auto& job) { job.prediction.version = -1; }},
      {"the version of the model", [](auto& job) { job.prediction.version = 0; }},
      {"the model file", [](auto& job) { job.prediction.file.digest = "short"; }},
      {"the model file", [](auto& job) { job.prediction.file.bytes = -1; }},
      {"the model file", [](auto& job) { job.prediction.file.bytes = 0; }},
      {"the number of features", [](auto& job) { job.prediction.features = -1; }},
      {"features", [](auto& job) { job.prediction.features = 0; }},
      {"features", [](auto& job) { job.prediction.features = 65'537; }},
      {"classes", [](auto& job) { job.prediction.labels.clear(); }},
      {"classes", [](auto& job) { job.prediction.labels.assign(65'537, "x"); }},
      {"labelled", [](auto& job) { job.prediction.labels.assign(65'536, "x"); }},
      {"the rows of a batch", [](auto& job) { job.prediction.batch_rows = -1; }},
      {"batch-size", [](auto& job) { job.prediction.batch_rows = 0; }},
      {"batch-size", [](auto& job) { job.prediction.batch_rows = 1'000'001; }},
      {"a shard", [](auto& job) { job.shards[0].digest = "short"; }},
      {"for training", [](auto& job) { job.rounds = 1; }},
      {"for training", [](auto& job) { job.rule.eta = 0.5; }},
      {"for training",
       [](auto& job) {
         job.rule.units = {2, 3};
       }},
      {"for training", [](auto& job) { job.rule.activation = Activation::UNKNOWN; }},
      {"for training", [](auto& job) { job.server.eta = 2; }},
      {"for training", [](auto& job) { job.validation = job.shards; }},
      {"for training", [](auto& job) { job.__set_initial_weights(job.shards[0]); }},
  };
  expect_refusals(to_wire(prediction_job()), wrongs, specification_from);
}

TEST(JobConvert, DetailsComeBackAsTheyWere) {
  gradmill::JobDetails details;
  details.status.job = "j";
  details.specification = specification();
  details.shard_rows = {7, std::uint64_t{1} << 40U};
  details.terms = {.model = "m", .share = {.priority = -5, .weight = 7}};
  const gradmill::JobDetails back = details_from(to_wire(details));
  EXPECT_EQ(back.status.job, "j");
  expect_equal(back.specification, details.specification);
  EXPECT_EQ(back.shard_rows, details.shard_rows);
  EXPECT_EQ(back.terms.model, "m");
  EXPECT_EQ(back.terms.share, details.terms.share);
}

}  // namespace
}  // namespace gradmill::wire
