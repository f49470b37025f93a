#include "client/request/request.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "client/request/preset.h"

namespace gradmill::client {
namespace {

using Words = std::vector<std::string>;

Words course(const Words& more = {}) {
  Words words = {"host", "9000", "data", "3", "75", "24", "0.0001"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A positional form by batches.
Words batches(const Words& more = {}) {
  Words words = course({"--optimizer", "momentum"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A positional form of a preset.
Words fast(const Words& more = {}) {
  Words words = {"host", "9000", "data", "--preset", "fast"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words verb(const Words& more = {}) {
  Words words = {"job", "submit", "train", "--coordinator", "host:9000", "--data", "data"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TrainRequest read(const Words& words) {
  return std::get<TrainRequest>(parse_request(words).value());
}

std::string refusal(const Words& words) {
  try {
    static_cast<void>(parse_request(words));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

void expect_preset(const TrainRequest& request, const Preset& preset) {
  EXPECT_EQ(request.rounds, preset.rounds);
  EXPECT_EQ(request.rule.epochs, preset.epochs);
  EXPECT_EQ(request.rule.steps_per_round, preset.steps_per_round);
  EXPECT_EQ(request.hidden, preset.hidden);
  EXPECT_EQ(request.rule.activation, preset.activation);
  EXPECT_EQ(request.rule.optimizer, preset.optimizer);
  EXPECT_EQ(request.rule.eta, preset.eta);
  EXPECT_EQ(request.rule.batch_size, preset.batch_size);
  EXPECT_EQ(request.rule.momentum, preset.momentum);
  EXPECT_EQ(request.rule.weight_decay, preset.weight_decay);
  EXPECT_EQ(request.rule.label_smoothing, preset.label_smoothing);
  EXPECT_EQ(request.rule.schedule, preset.schedule);
  EXPECT_EQ(request.server.optimizer, preset.server.optimizer);
  EXPECT_EQ(request.server.eta, preset.server.eta);
  EXPECT_EQ(request.server.momentum, preset.server.momentum);
  EXPECT_EQ(request.standardize != Standardize::kNo, preset.standardize);
}

TEST(Request, PositionalFormIsTheCourses) {
  const TrainRequest request = read(course());
  EXPECT_EQ(request.coordinator.text(), "host:9000");
  EXPECT_EQ(request.folder, "data");
  EXPECT_EQ(request.rounds, 3U);
  EXPECT_EQ(request.hidden, std::vector<std::uint32_t>{24});
  EXPECT_EQ(request.early_stop, 0U);
  EXPECT_EQ(request.standardize, Standardize::kNo);
  EXPECT_TRUE(request.wait);
  const ml::TrainingRule& rule = request.rule;
  EXPECT_EQ(rule.activation, ml::Activation::kRelu);
  EXPECT_EQ(rule.precision, ml::Precision::kFloat);
  EXPECT_EQ(rule.optimizer, ml::Optimizer::kGd);
  EXPECT_EQ(rule.eta, 0.0001);
  EXPECT_EQ(rule.epochs, 75U);
  EXPECT_EQ(rule.steps_per_round, 0U);
  EXPECT_EQ(rule.batch_size, 0U);
  EXPECT_EQ(rule.weight_decay, 0);
  EXPECT_EQ(rule.label_smoothing, 0);
  EXPECT_EQ(rule.schedule, ml::Schedule::kConstant);
  EXPECT_EQ(rule.min_loss_change, 0.2);
  EXPECT_EQ(rule.seed, 1U);
  EXPECT_EQ(request.server.optimizer, ml::ServerOptimizer::kAverage);
  EXPECT_EQ(request.server.eta, 1);
  EXPECT_EQ(request.server.momentum, 0);
}

TEST(Request, OptimizersByBatchesHaveDefaults) {
  const TrainRequest request = read(batches());
  EXPECT_EQ(request.rule.optimizer, ml::Optimizer::kMomentum);
  EXPECT_EQ(request.rule.batch_size, 64U);
  EXPECT_EQ(request.rule.momentum, 0.9);
  EXPECT_EQ(request.rule.schedule, ml::Schedule::kConstant);
}

TEST(Request, EveryOptionArrives) {
  const TrainRequest request = read(batches({"--batch-size=16",
                                             "--momentum=0.8",
                                             "--weight-decay=0.01",
                                             "--label-smoothing=0.1",
                                             "--schedule=one-cycle",
                                             "--activation=sigmoid",
                                             "--precision=double",
                                             "--server-optimizer=momentum",
                                             "--server-eta=0.7",
                                             "--server-momentum=0.6",
                                             "--standardize",
                                             "--early-stop=5",
                                             "--seed=7",
                                             "--id=j"}));
  EXPECT_EQ(request.rule.batch_size, 16U);
  EXPECT_EQ(request.rule.momentum, 0.8);
  EXPECT_EQ(request.rule.weight_decay, 0.01);
  EXPECT_EQ(request.rule.label_smoothing, 0.1);
  EXPECT_EQ(request.rule.schedule, ml::Schedule::kOneCycle);
  EXPECT_EQ(request.rule.activation, ml::Activation::kSigmoid);
  EXPECT_EQ(request.rule.precision, ml::Precision::kDouble);
  EXPECT_EQ(request.server.optimizer, ml::ServerOptimizer::kMomentum);
  EXPECT_EQ(request.server.eta, 0.7);
  EXPECT_EQ(request.server.momentum, 0.6);
  EXPECT_EQ(request.standardize, Standardize::kAsked);
  EXPECT_EQ(request.early_stop, 5U);
  EXPECT_EQ(request.rule.seed, 7U);
  EXPECT_EQ(request.job, "j");
}

TEST(Request, ValidatesAsOftenAsTheUserOrThePresetSays) {
  EXPECT_EQ(read(course()).validate_every, 1U);
  EXPECT_EQ(read(course({"--validate-every", "5"})).validate_every, 5U);
  EXPECT_GT(read(fast()).validate_every, 1U);
  EXPECT_EQ(read(fast({"--validate-every", "1"})).validate_every, 1U);
}

TEST(Request, ServerOptimizersHaveDefaultsOfTheirOwn) {
  const ml::ServerRule momentum = read(course({"--server-optimizer", "momentum"})).server;
  EXPECT_EQ(momentum.eta, 1);
  EXPECT_EQ(momentum.momentum, 0.9);
  const ml::ServerRule adam = read(course({"--server-optimizer", "adam"})).server;
  EXPECT_EQ(adam.eta, 0.01);
  EXPECT_EQ(adam.momentum, 0.9);
  EXPECT_EQ(read(course({"--server-eta", "0.5"})).server.eta, 0.5);
}

TEST(Request, HiddenUnitsAreAList) {
  Words words = course();
  words[5] = "256,128,65536";
  EXPECT_EQ(read(words).hidden, (std::vector<std::uint32_t>{256, 128, 65'536}));
  std::string most = "1";
  for (int n = 1; n < 63; ++n) {
    most += ",1";
  }
  words[5] = most;
  EXPECT_EQ(read(words).hidden.size(), 63U);
  for (const std::string& wrong : {most + ",1",
                                   std::string("0"),
                                   std::string(""),
                                   std::string(","),
                                   std::string("24,"),
                                   std::string(",24"),
                                   std::string("24,,24"),
                                   std::string("24, 24"),
                                   std::string("24;24"),
                                   std::string("-1"),
                                   std::string("65537"),
                                   std::string("2.5"),
                                   std::string(1'000'000, ',')}) {
    words[5] = wrong;
    EXPECT_EQ(refusal(words).rfind("<h>: '", 0), 0U) << wrong.substr(0, 80);
  }
}

TEST(Request, StepsOverrideThePositionalEpochs) {
  const TrainRequest request = read(batches({"--steps-per-round", "8"}));
  EXPECT_EQ(request.rule.steps_per_round, 8U);
  EXPECT_EQ(request.rule.epochs, 0U);
}

TEST(Request, APresetNeedsNothingElse) {
  for (const Preset& preset : presets()) {
    const std::string name(preset.name);
    expect_preset(read({"host", "9000", "data", "--preset", name}), preset);
    expect_preset(read(verb({"--preset", name})), preset);
  }
  EXPECT_EQ(read(fast()).standardize, Standardize::kByPreset);
  EXPECT_EQ(read(fast({"--standardize"})).standardize, Standardize::kAsked);
}

TEST(Request, WhatTheUserSaysWinsOverThePreset) {
  const Preset& preset = presets().front();
  const TrainRequest positional = read({"host", "9000", "data", "7", "2", "--preset", "fast"});
  EXPECT_EQ(positional.rounds, 7U);
  EXPECT_EQ(positional.rule.epochs, 2U);
  EXPECT_EQ(positional.rule.steps_per_round, 0U);
  EXPECT_EQ(positional.hidden, preset.hidden);
  EXPECT_EQ(positional.rule.eta, preset.eta);
  const TrainRequest options = read(fast({"--hidden=8",
                                          "--eta=0.5",
                                          "--steps-per-round=9",
                                          "--batch-size=3",
                                          "--schedule=cosine",
                                          "--label-smoothing=0",
                                          "--server-eta=0.9"}));
  EXPECT_EQ(options.hidden, std::vector<std::uint32_t>{8});
  EXPECT_EQ(options.rule.eta, 0.5);
  EXPECT_EQ(options.rule.steps_per_round, 9U);
  EXPECT_EQ(options.rule.epochs, 0U);
  EXPECT_EQ(options.rule.batch_size, 3U);
  EXPECT_EQ(options.rule.schedule, ml::Schedule::kCosine);
  EXPECT_EQ(options.rule.label_smoothing, 0);
  EXPECT_EQ(options.server.optimizer, preset.server.optimizer);
  EXPECT_EQ(options.server.eta, 0.9);
  EXPECT_EQ(options.server.momentum, preset.server.momentum);
}

TEST(Request, OtherOptimizersThanThePresetsHaveTheirOwnDefaults) {
  EXPECT_EQ(refusal(fast({"--optimizer", "adam"})),
            "--optimizer adam needs --eta: that of the preset is for momentum");
  EXPECT_EQ(read(fast({"--optimizer", "adam", "--eta", "0.01"})).rule.batch_size,
            presets().front().batch_size);
  const ml::TrainingRule gd =
      read(fast({"--optimizer", "gd", "--eta", "0.0001", "--epochs", "3"})).rule;
  EXPECT_EQ(gd.batch_size, 0U);
  EXPECT_EQ(gd.label_smoothing, 0);
  EXPECT_EQ(gd.schedule, ml::Schedule::kConstant);
  const ml::ServerRule server = read(fast({"--server-optimizer", "average"})).server;
  EXPECT_EQ(server.eta, 1);
  EXPECT_EQ(server.momentum, 0);
}

TEST(Request, NamesWhatIsWrong) {
  const std::vector<std::pair<Words, std::string>> wrong = {
      {{"host", "9000"}, "<dir> is missing; see client --help"},
      {{"host", "9000", "data", "3", "75", "24"}, "<eta> is missing; see client --help"},
      {{"host", "9000", "data"}, "<rounds> is missing; see client --help"},
      {verb(), "--rounds is missing; see client --help"},
      {fast({"--optimizer", "gd"}), "--epochs is missing; see client --help"},
      {course({"--optimizer", "lion"}), "--optimizer: 'lion' is not gd or sgd or momentum or adam"},
      {course({"--preset", "best"}), "--preset: 'best' is not fast or accurate"},
      {course({"--activation", "gelu"}), "--activation: 'gelu'"},
      {course({"--server-optimizer", "sgd"}), "--server-optimizer: 'sgd'"},
      {course({"--server-eta", "0"}), "--server-eta: '0'"},
      {course({"--early-stop", "0"}), "--early-stop: '0'"},
      {course({"--validate-every", "0"}), "--validate-every: '0'"},
      {course({"--validate-every", "2", "--early-stop", "3"}),
       "--validate-every does not go with --early-stop"},
      {batches({"--schedule", "linear"}), "--schedule: 'linear'"},
      {batches({"--batch-size", "0"}), "--batch-size: '0'"},
      {batches({"--batch-size", "1e3"}), "--batch-size: '1e3'"},
      {batches({"--steps-per-round", "0"}), "--steps-per-round: '0'"},
      {batches({"--momentum", "1"}), "--momentum: '1'"},
      {batches({"--momentum", "nan"}), "--momentum: 'nan'"},
      {batches({"--weight-decay", "-1"}), "--weight-decay: '-1'"},
      {batches({"--label-smoothing", "1"}), "--label-smoothing: '1'"},
      {fast({"--server-momentum", "1"}), "--server-momentum: '1'"},
      {course({"--min-loss-change", "inf"}), "--min-loss-change: 'inf'"},
  };
  for (const auto& [words, message] : wrong) {
    EXPECT_EQ(refusal(words).rfind(message, 0), 0U) << refusal(words) << "; wanted: " << message;
  }
}

TEST(Request, NamesBothOptionsThatContradictEachOther) {
  const std::string gd = " does not go with --optimizer gd (the default)";
  const std::vector<std::pair<Words, std::string>> wrong = {
      {course({"--batch-size", "16"}), "--batch-size" + gd},
      {course({"--steps-per-round", "5"}), "--steps-per-round" + gd},
      {course({"--schedule", "cosine"}), "--schedule" + gd},
      {course({"--momentum", "0.5"}), "--momentum" + gd},
      {course({"--weight-decay", "0.1"}), "--weight-decay" + gd},
      {course({"--label-smoothing", "0.1"}), "--label-smoothing" + gd},
      {fast({"--optimizer", "gd", "--batch-size", "1"}),
       "--batch-size does not go with --optimizer gd"},
      {batches({"--min-loss-change", "0.2"}),
       "--min-loss-change does not go with --optimizer momentum"},
      {fast({"--min-loss-change", "0.2"}),
       "--min-loss-change does not go with --optimizer momentum of the preset"},
      {course({"--optimizer", "adam", "--momentum", "0.9"}),
       "--momentum does not go with --optimizer adam"},
      {course({"--server-momentum", "0.9"}),
       "--server-momentum does not go with --server-optimizer average (the default)"},
      {fast({"--epochs", "2", "--steps-per-round", "5"}),
       "--steps-per-round does not go with --epochs"},
      {course({"--rounds", "3"}), "--rounds: <rounds> is given too; leave out one of them"},
      {course({"--eta", "3"}), "--eta: <eta> is given too; leave out one of them"},
      {verb({"--preset", "fast", "--no-wait", "--output", "m"}),
       "--output does not go with --no-wait"},
  };
  for (const auto& [words, message] : wrong) {
    EXPECT_EQ(refusal(words), message);
  }
}

TEST(Request, VerbFormIsThePositionalOne) {
  const TrainRequest request = read(verb(
      {"--rounds=3", "--epochs=75", "--hidden=24,12", "--eta=0.0001", "--id=follow", "--no-wait"}));
  EXPECT_EQ(request.coordinator.text(), "host:9000");
  EXPECT_EQ(request.folder, "data");
  EXPECT_EQ(request.rounds, 3U);
  EXPECT_EQ(request.rule.epochs, 75U);
  EXPECT_EQ(request.hidden, (std::vector<std::uint32_t>{24, 12}));
  EXPECT_EQ(request.rule.eta, 0.0001);
  EXPECT_EQ(request.job, "follow");
  EXPECT_FALSE(request.wait);
  EXPECT_EQ(
      refusal({"job", "submit"}),
      "job submit: what kind of job is missing: train or predict; see client job submit --help");
  EXPECT_EQ(refusal({"job", "submit", "train", "--coordinator", "h:1"}),
            "--data is missing; see client job submit train --help");
}

TEST(Request, AQuorumIsANumberOrAShareOfTheShards) {
  const TrainRequest count = read(course({"--quorum", "9", "--round-deadline", "250ms"}));
  EXPECT_EQ(count.quorum->shards, 9U);
  EXPECT_EQ(count.round_deadline.count(), 250);
  const TrainRequest share = read(verb({"--preset=fast", "--quorum=0.8", "--round-deadline=2s"}));
  EXPECT_EQ(share.quorum->shards, 0U);
  EXPECT_EQ(share.quorum->share, 0.8);
  EXPECT_EQ(read(course({"--quorum", "1.0", "--round-deadline", "1s"})).quorum->share, 1.0);
  EXPECT_FALSE(read(course()).quorum.has_value());
  EXPECT_EQ(refusal(course({"--quorum", "9"})), "--quorum needs --round-deadline");
  EXPECT_EQ(refusal(course({"--round-deadline", "9s"})), "--round-deadline needs --quorum");
  for (const char* const wrong : {"0", "-1", "0.0", "1.5", "nan", "x", "50001", "80%"}) {
    EXPECT_EQ(refusal(course({"--quorum", wrong, "--round-deadline", "1s"})),
              std::string("--quorum: '") + wrong +
                  "' is not a number of shards, or a share of them such as 0.8");
  }
  for (const char* const wrong : {"0ms", "10081min", "5", "-1s"}) {
    const std::string refused = refusal(course({"--quorum", "1", "--round-deadline", wrong}));
    EXPECT_EQ(refused.rfind(std::string("--round-deadline: '") + wrong + "' is not a duration", 0),
              0U)
        << refused;
  }
}

TEST(Request, TheClientTriesAgainForAMinuteUnlessTold) {
  EXPECT_EQ(read(course()).reconnect_timeout.count(), 60'000);
  EXPECT_EQ(read(course({"--reconnect-timeout", "0s"})).reconnect_timeout.count(), 0);
  EXPECT_EQ(read(verb({"--preset=fast", "--reconnect-timeout=2min"})).reconnect_timeout.count(),
            120'000);
}

TEST(Request, SaysHowTheJobSharesTheNodes) {
  EXPECT_EQ(read(verb({"--preset=fast"})).share, JobShare{});
  const JobShare asked = read(verb({"--preset=fast", "--priority=-5", "--weight=7"})).share;
  EXPECT_EQ(asked, (JobShare{.priority = -5, .weight = 7}));
  EXPECT_EQ(refusal(verb({"--preset=fast", "--priority=101"})),
            "--priority: '101' is not a whole number from -100 to 100");
  EXPECT_EQ(refusal(verb({"--preset=fast", "--weight=0"})),
            "--weight: '0' is not a whole number from 1 to 1000");
}

}  // namespace
}  // namespace gradmill::client
