#include "protocol/job_specification.h"

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace gradmill {
namespace {

BlobRef ref_of(const std::string& content) { return {sha256(content), content.size()}; }

JobSpecification letters() {
  JobSpecification job;
  job.rule = {.topology = {{16, 24, 26}},
              .activation = ml::Activation::kRelu,
              .precision = ml::Precision::kFloat,
              .eta = 0.0001,
              .epochs = 75,
              .min_loss_change = 0.2,
              .seed = 1,
              .standardization = {}};
  job.rounds = 3;
  job.shards = {ref_of("one"), ref_of("two")};
  job.validation = {ref_of("three")};
  return job;
}

JobSpecification letters_by_batches() {
  JobSpecification job = letters();
  job.rule.optimizer = ml::Optimizer::kMomentum;
  job.rule.batch_size = 16;
  job.rule.standardization = {std::vector<double>(16, 7.5), std::vector<double>(16, 0.1)};
  job.server = {ml::ServerOptimizer::kMomentum, 0.7, 0.7};
  return job;
}

std::string blob_lines() {
  return "shard " + sha256("one").hex() + "\nshard " + sha256("two").hex() + "\nvalidation " +
         sha256("three").hex() + "\n";
}

std::string repeated(const std::string& word) {
  std::string text;
  for (int n = 0; n < 16; ++n) {
    text += ' ' + word;
  }
  return text;
}

// Draws, seeds and the comparison of runs hang on these bytes: another value here means that every
// job becomes another job. sha256 of the text that the test below spells out.
TEST(JobDigest, IsTheSameForEver) {
  EXPECT_EQ(job_digest(letters()).hex(),
            "d7872df99b200d5a812aabb2b1466e0b62179b0ebcb899c0a59e0cd8f97c2202");
  EXPECT_EQ(job_digest(letters_by_batches()).hex(),
            "e0e946b03f00836214d9100dbe8a3b827e6c5688c8c6728aa5cb2216b6b6bf5c");
}

TEST(JobDigest, IsTheHashOfACanonicalText) {
  EXPECT_EQ(job_digest(letters()),
            sha256("gradmill job 2\nunits 16 24 26\nactivation relu\nprecision float\n"
                   "optimizer gd\neta 1e-04\nepochs 75\nmin-loss-change 0.2\n"
                   "server-optimizer average\nserver-eta 1\nrounds 3\nearly-stop 0\nseed 1\n" +
                   blob_lines()));
  EXPECT_EQ(job_digest(letters_by_batches()),
            sha256("gradmill job 2\nunits 16 24 26\nactivation relu\nprecision float\n"
                   "optimizer momentum\neta 1e-04\nepochs 75\nbatch-size 16\nmomentum 0.9\n"
                   "weight-decay 0\nlabel-smoothing 0\nschedule constant\n"
                   "server-optimizer momentum\nserver-eta 0.7\nserver-momentum 0.7\n"
                   "rounds 3\nearly-stop 0\nseed 1\nmean" +
                   repeated("7.5") + "\ndeviation" + repeated("0.1") + "\n" + blob_lines()));
}

using Change = std::function<void(JobSpecification&)>;
using Changes = std::vector<std::pair<const char*, Change>>;

TEST(JobDigest, ChangesWithEachField) {
  const Changes changes = {
      {"hidden units", [](auto& job) { job.rule.topology.units[1] = 25; }},
      {"layers",
       [](auto& job) {
         job.rule.topology.units = {16, 24, 24, 26};
       }},
      {"units run together",
       [](auto& job) {
         job.rule.topology.units = {162, 4, 26};
       }},
      {"activation", [](auto& job) { job.rule.activation = ml::Activation::kMlPy; }},
      {"precision", [](auto& job) { job.rule.precision = ml::Precision::kDouble; }},
      {"eta", [](auto& job) { job.rule.eta = 0.00010000000000000002; }},
      {"epochs", [](auto& job) { job.rule.epochs = 76; }},
      {"steps",
       [](auto& job) {
         job.rule.steps_per_round = 75;
         job.rule.epochs = 0;
       }},
      {"tanh", [](auto& job) { job.rule.activation = ml::Activation::kTanh; }},
      {"sigmoid", [](auto& job) { job.rule.activation = ml::Activation::kSigmoid; }},
      {"optimizer", [](auto& job) { job.rule.optimizer = ml::Optimizer::kSgd; }},
      {"standardization",
       [](auto& job) {
         job.rule.standardization = {{1}, {2}};
       }},
      {"early stop", [](auto& job) { job.early_stop = 1; }},
      {"server optimizer", [](auto& job) { job.server.optimizer = ml::ServerOptimizer::kAdam; }},
      {"server eta", [](auto& job) { job.server.eta = 0.5; }},
      {"min loss change", [](auto& job) { job.rule.min_loss_change = 0; }},
      {"seed", [](auto& job) { job.rule.seed = 2; }},
      {"rounds", [](auto& job) { job.rounds = 4; }},
      {"order of shards", [](auto& job) { std::swap(job.shards[0], job.shards[1]); }},
      {"a shard more", [](auto& job) { job.shards.push_back(ref_of("four")); }},
      {"a shard twice", [](auto& job) { job.shards.push_back(ref_of("two")); }},
      {"a shard moved",
       [](auto& job) {
         job.validation.insert(job.validation.begin(), job.shards.back());
         job.shards.pop_back();
       }},
      {"validation", [](auto& job) { job.validation[0] = ref_of("five"); }},
      {"initial weights", [](auto& job) { job.initial_weights = ref_of("six"); }},
      {"other initial weights", [](auto& job) { job.initial_weights = ref_of("seven"); }},
  };
  std::set<Digest> seen = {job_digest(letters())};
  for (const auto& [what, change] : changes) {
    JobSpecification job = letters();
    change(job);
    EXPECT_TRUE(seen.insert(job_digest(job)).second) << what;
  }
}

TEST(JobDigest, ChangesWithEachFieldOfARuleByBatches) {
  const Changes changes = {
      {"sgd", [](auto& job) { job.rule.optimizer = ml::Optimizer::kSgd; }},
      {"adam", [](auto& job) { job.rule.optimizer = ml::Optimizer::kAdam; }},
      {"batch size", [](auto& job) { job.rule.batch_size = 17; }},
      {"momentum", [](auto& job) { job.rule.momentum = 0.8; }},
      {"weight decay", [](auto& job) { job.rule.weight_decay = 0.01; }},
      {"label smoothing", [](auto& job) { job.rule.label_smoothing = 0.1; }},
      {"cosine", [](auto& job) { job.rule.schedule = ml::Schedule::kCosine; }},
      {"one-cycle", [](auto& job) { job.rule.schedule = ml::Schedule::kOneCycle; }},
      {"a mean", [](auto& job) { job.rule.standardization.mean[15] = 7; }},
      {"a deviation", [](auto& job) { job.rule.standardization.deviation[0] = 0.2; }},
      {"server adam", [](auto& job) { job.server.optimizer = ml::ServerOptimizer::kAdam; }},
      {"server momentum", [](auto& job) { job.server.momentum = 0.6; }},
  };
  std::set<Digest> seen = {job_digest(letters_by_batches())};
  for (const auto& [what, change] : changes) {
    JobSpecification job = letters_by_batches();
    change(job);
    EXPECT_TRUE(seen.insert(job_digest(job)).second) << what;
  }
}

TEST(JobDigest, LeavesOutWhatCannotChangeTheBits) {
  JobSpecification gd = letters();
  gd.rule.momentum = 0.5;
  EXPECT_EQ(job_digest(gd), job_digest(letters()));
  JobSpecification batches = letters_by_batches();
  batches.rule.min_loss_change = 1;
  EXPECT_EQ(job_digest(batches), job_digest(letters_by_batches()));
  JobSpecification adam = letters_by_batches();
  adam.rule.optimizer = ml::Optimizer::kAdam;
  const Digest digest = job_digest(adam);
  adam.rule.momentum = 0.5;
  EXPECT_EQ(job_digest(adam), digest);
}

TEST(JobDigest, DependsOnTheContentAlone) {
  // Ids, paths, nodes and lengths are no part of it: two specifications made apart are one job.
  JobSpecification job = letters();
  job.shards[0].bytes += 1;
  EXPECT_EQ(job_digest(job), job_digest(letters()));
}

TEST(JobSpecification, NamesEveryBlobThatItNeeds) {
  JobSpecification job = letters();
  EXPECT_EQ(job.blobs(), (std::vector{ref_of("one"), ref_of("two"), ref_of("three")}));
  job.initial_weights = ref_of("six");
  EXPECT_EQ(job.blobs(),
            (std::vector{ref_of("one"), ref_of("two"), ref_of("three"), ref_of("six")}));
}

TEST(IsValidated, EveryNthAndTheLastRound) {
  JobSpecification job = letters();
  job.rounds = 7;
  job.validate_every = 3;
  std::vector<std::uint32_t> validated;
  for (std::uint32_t round = 1; round <= job.rounds; ++round) {
    if (is_validated(job, round)) {
      validated.push_back(round);
    }
  }
  EXPECT_EQ(validated, (std::vector<std::uint32_t>{3, 6, 7}));
}

TEST(IsValidated, EveryRoundWhereTheErrorsDecide) {
  JobSpecification job = letters();
  job.rounds = 7;
  job.validate_every = 3;
  job.early_stop = 2;
  EXPECT_TRUE(is_validated(job, 1));
  EXPECT_TRUE(is_validated(job, 2));
}

// It changes no bit of the result, so the draws of simulated load stay as well.
TEST(JobDigest, DoesNotChangeWithTheRoundsBetweenValidations) {
  JobSpecification job = letters();
  job.validate_every = 3;
  EXPECT_EQ(job_digest(job), job_digest(letters()));
}

TEST(JobDigest, HasAQuorumOnlyWhereThereIsOne) {
  JobSpecification job = letters();
  job.quorum = 2;
  job.round_deadline = std::chrono::milliseconds(1500);
  EXPECT_EQ(job_digest(job),
            sha256("gradmill job 2\nunits 16 24 26\nactivation relu\nprecision float\n"
                   "optimizer gd\neta 1e-04\nepochs 75\nmin-loss-change 0.2\n"
                   "server-optimizer average\nserver-eta 1\nrounds 3\nearly-stop 0\n"
                   "quorum 2\nround-deadline-ms 1500\nseed 1\n" +
                   blob_lines()));
  const Digest digest = job_digest(job);
  job.round_deadline = std::chrono::milliseconds(1501);
  EXPECT_NE(job_digest(job), digest);
}

TEST(JobDigest, OfAPredictionJobIsOfItsModelAndRows) {
  JobSpecification job;
  job.prediction = PredictionPlan{.model = {.model = "m",
                                            .version = 1,
                                            .file = {sha256("file"), 4},
                                            .features = 2,
                                            .labels = {"A"}},
                                  .batch_rows = 10};
  job.shards = {{sha256("one"), 1}};
  const Digest digest = job_digest(job);
  EXPECT_EQ(digest,
            sha256("gradmill prediction 1\nmodel " + sha256("file").hex() +
                   "\nlabelled no\nshard " + sha256("one").hex() + "\n"));
  EXPECT_EQ(job.blobs(), job.shards);
  job.prediction->batch_rows = 20;
  EXPECT_EQ(job_digest(job), digest) << "the size of a batch decides no bit";
  job.prediction->labelled = true;
  EXPECT_NE(job_digest(job), digest);
  job.prediction->labelled = false;
  job.prediction->model.file.digest = sha256("other");
  EXPECT_NE(job_digest(job), digest);
}

}  // namespace
}  // namespace gradmill
