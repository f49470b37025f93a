#include "protocol/job_specification.h"

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
              .seed = 1};
  job.rounds = 3;
  job.shards = {ref_of("one"), ref_of("two")};
  job.validation = {ref_of("three")};
  return job;
}

// Draws, seeds and the comparison of runs hang on these bytes: another value here means that every
// job becomes another job. sha256 of the text that the test below spells out.
TEST(JobDigest, IsTheSameForEver) {
  EXPECT_EQ(job_digest(letters()).hex(),
            "0055821961dfe37e1d3a7695c95532a24984829d5191a067abf8f6a481347c48");
}

TEST(JobDigest, IsTheHashOfACanonicalText) {
  const JobSpecification job = letters();
  const std::string text =
      "gradmill job 1\nunits 16 24 26\nactivation relu\nprecision float\noptimizer gd\neta 1e-04"
      "\nepochs 75\nmin-loss-change 0.2\nrounds 3\nseed 1\nshard " +
      sha256("one").hex() + "\nshard " + sha256("two").hex() + "\nvalidation " +
      sha256("three").hex() + "\n";
  EXPECT_EQ(job_digest(job), sha256(text));
}

TEST(JobDigest, ChangesWithEachField) {
  using Change = std::function<void(JobSpecification&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
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

}  // namespace
}  // namespace gradmill
