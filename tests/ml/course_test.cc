// The course's letter recognition, over its own files: published validation errors, digit for
// digit, and the bits that belong to this kernel's id.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "formats/csv.h"
#include "ml/kernel/kernels.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

Shard letters(const std::string& name) {
  std::ifstream file(GRADMILL_SOURCE_DIR "/data/letters/" + name, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + name);
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return formats::parse_csv(text, name, {});
}

struct Run {
  Activation activation = Activation::kRelu;
  std::uint32_t rounds = 0;
  std::uint32_t epochs = 0;
  std::uint32_t hidden = 0;
  int shards = 11;
  Precision precision = Precision::kDouble;
};

struct Outcome {
  std::vector<double> errors;  ///< On the validation file, after each round.
  std::string parameters;
};

Outcome train(const Run& run) {
  TrainingRule rule;
  rule.topology.units = {16, run.hidden, 26};
  rule.activation = run.activation;
  rule.precision = run.precision;
  rule.eta = 1e-4;
  rule.epochs = run.epochs;
  std::vector<Samples> shards;
  for (int file = 1; file <= run.shards; ++file) {
    shards.push_back(
        prepare_samples(letters("train_letters" + std::to_string(file) + ".txt"), rule));
  }
  const Shard validation = letters("validate_letters.txt");
  const Samples validation_samples = prepare_samples(validation, rule);
  Outcome outcome;
  outcome.parameters = initial_parameter_bytes(rule);
  ServerState state;
  for (std::uint32_t round = 1; round <= run.rounds; ++round) {
    std::vector<TrainingResult> results;
    std::vector<WeightedDelta> deltas;
    for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
      results.push_back(
          train_shard(rule, shards[shard], outcome.parameters, {round, run.rounds, shard}, 1, {}));
    }
    for (const TrainingResult& result : results) {
      deltas.push_back({result.delta, 1500});
    }
    outcome.parameters =
        server_step(outcome.parameters, deltas, rule.precision, ServerRule{}, round, state);
    const std::size_t errors = count_errors(rule, validation_samples, outcome.parameters, 1);
    outcome.errors.push_back(static_cast<double>(errors) / validation.rows);
  }
  return outcome;
}

TEST(Course, MlPy5Rounds15Epochs) {
  EXPECT_EQ(train({Activation::kMlPy, 5, 15, 20}).errors.back(), 0.8054285714285714);
}

TEST(Course, MlPy3Rounds75EpochsOnTheFirstFile) {
  EXPECT_EQ(train({Activation::kMlPy, 3, 75, 20, 1}).errors,
            (std::vector<double>{0.7328571428571429, 0.6582857142857143, 0.5965714285714285}));
}

TEST(Course, Relu5Rounds15Epochs) {
  EXPECT_EQ(train({Activation::kRelu, 5, 15, 20}).errors.back(), 0.7691428571428571);
}

// The client's own example, in its default precision. Equal kernel ids promise equal bits, on any
// instruction set and at any level of optimisation: change the id along with this digest. Float
// rounding is amplified: with the rows in twelve orders, both kernels and the twin came to errors
// of 0.362 up to 0.410, where double stays at 0.379.
TEST(Course, TheExamplesBitsBelongToTheKernelId) {
  const Outcome outcome = train({Activation::kRelu, 3, 75, 24, 11, Precision::kFloat});
  EXPECT_STREQ(kernel_id(), "lanes64-2");
  EXPECT_EQ(sha256(outcome.parameters).hex().substr(0, 16), "00b40ee706c57080");
  EXPECT_NEAR(outcome.errors.back(), 0.38, 0.04);
}

// The longer rows; under a sanitizer they would take minutes and find nothing more.
#ifndef __SANITIZE_ADDRESS__

TEST(Course, MlPy25Rounds15Epochs) {
  EXPECT_EQ(train({Activation::kMlPy, 25, 15, 20}).errors.back(), 0.324);
}

// The second is recorded with one digit fewer, as 0.4528571428571428.
TEST(Course, MlPy3Rounds75Epochs) {
  EXPECT_EQ(train({Activation::kMlPy, 3, 75, 24}).errors,
            (std::vector<double>{0.6517142857142857, 0.45285714285714285, 0.37}));
}

// 1327 or 1328 of the 3500 rows, by summation order.
TEST(Course, TheClientsExampleInDouble) {
  const Outcome outcome = train({Activation::kRelu, 3, 75, 24});
  EXPECT_GE(outcome.errors.back(), 1327.0 / 3500);
  EXPECT_LE(outcome.errors.back(), 1328.0 / 3500);
  EXPECT_EQ(sha256(outcome.parameters).hex().substr(0, 16), "d8a5d373fc6785a1");
}

TEST(Course, Relu25Rounds15Epochs) {
  const double error = train({Activation::kRelu, 25, 15, 20}).errors.back();
  EXPECT_GE(error, 0.31);
  EXPECT_LE(error, 0.37);
}

// Published as 0.27. The step is near its limit of stability, so 750 epochs amplify rounding: plain
// NumPy with the rows in other orders came to 0.2526 up to 0.2749, this kernel to 0.2771.
TEST(Course, MlPy15Rounds50Epochs) {
  const double error = train({Activation::kMlPy, 15, 50, 24}).errors.back();
  EXPECT_GE(error, 0.24);
  EXPECT_LE(error, 0.29);
}

#endif

}  // namespace
}  // namespace gradmill::ml
