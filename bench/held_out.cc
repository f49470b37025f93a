// How the presets were chosen: trains each on the letters' training shards but one, and counts the
// errors on the one left out. The validation file takes no part.
// usage: held_out [PRESET [OPTION VALUE]...]   all presets by default; an option changes the
// recipe:
//   hidden, rounds, steps, batch, eta, momentum, weight-decay, label-smoothing, server-eta,
//   server-momentum, folds
// Prints a line a preset: mean and worst error over the folds, and seconds of a training.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "client/request/preset.h"
#include "formats/csv.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"
#include "ml/trainer.h"

namespace gradmill::bench {
namespace {

constexpr std::size_t kShards = 11;

ml::Shard letters(std::size_t number) {
  const std::string name = "train_letters" + std::to_string(number) + ".txt";
  std::ifstream file(GRADMILL_SOURCE_DIR "/data/letters/" + name, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return formats::parse_csv(text, name, {});
}

std::vector<std::uint32_t> units_of(const std::string& list) {
  std::vector<std::uint32_t> units;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) {
    units.push_back(static_cast<std::uint32_t>(std::strtoul(word.c_str(), nullptr, 10)));
  }
  return units;
}

/// Changes one part of a recipe; false if there is no such part.
bool change(client::Preset& preset, std::string_view name, const std::string& value) {
  const double number = std::strtod(value.c_str(), nullptr);
  const auto whole = static_cast<std::uint32_t>(number);
  if (name == "hidden") {
    preset.hidden = units_of(value);
  } else if (name == "rounds") {
    preset.rounds = whole;
  } else if (name == "steps") {
    preset.steps_per_round = whole;
    preset.epochs = 0;
  } else if (name == "batch") {
    preset.batch_size = whole;
  } else if (name == "eta") {
    preset.eta = number;
  } else if (name == "momentum") {
    preset.momentum = number;
  } else if (name == "weight-decay") {
    preset.weight_decay = number;
  } else if (name == "label-smoothing") {
    preset.label_smoothing = number;
  } else if (name == "server-eta") {
    preset.server.eta = number;
  } else if (name == "server-momentum") {
    preset.server.momentum = number;
  } else {
    return false;
  }
  return true;
}

ml::TrainingRule rule_of(const client::Preset& preset, const std::vector<ml::Shard>& shards) {
  ml::TrainingRule rule;
  rule.topology.units = {shards.front().features};
  rule.topology.units.insert(rule.topology.units.end(), preset.hidden.begin(), preset.hidden.end());
  rule.topology.units.push_back(26);
  rule.activation = preset.activation;
  rule.optimizer = preset.optimizer;
  rule.eta = preset.eta;
  rule.epochs = preset.epochs;
  rule.steps_per_round = preset.steps_per_round;
  rule.batch_size = preset.batch_size;
  rule.momentum = preset.momentum;
  rule.weight_decay = preset.weight_decay;
  rule.label_smoothing = preset.label_smoothing;
  rule.schedule = preset.schedule;
  if (preset.standardize) {
    rule.standardization = ml::standardization_of(shards);
  }
  return rule;
}

/// One round: the shards' tasks on two threads, then the server's step.
std::string next_weights(const ml::TrainingRule& rule,
                         const client::Preset& preset,
                         const std::vector<ml::Samples>& samples,
                         const std::string& weights,
                         std::uint32_t round,
                         ml::ServerState& state) {
  std::vector<ml::TrainingResult> results(samples.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    ml::Trainer trainer(1);
    for (std::size_t k = next++; k < samples.size(); k = next++) {
      const ml::TaskPosition position = {round, preset.rounds, static_cast<std::uint32_t>(k)};
      results[k] = trainer.train(rule, samples[k], weights, position, {});
    }
  };
  std::thread other(work);
  work();
  other.join();
  std::vector<ml::WeightedDelta> deltas;
  for (const ml::TrainingResult& result : results) {
    if (result.diverged) {
      static_cast<void>(std::fputs("held_out: the training diverged\n", stderr));
      std::exit(1);
    }
    deltas.push_back({result.delta, 1500});
  }
  return ml::server_step(weights, deltas, rule.precision, preset.server, round, state);
}

/// The error on shard `out` after training on the others, from seed `out`.
double held_out_error(const client::Preset& preset, std::size_t out) {
  std::vector<ml::Shard> shards;
  for (std::size_t k = 1; k <= kShards; ++k) {
    if (k != out) {
      shards.push_back(letters(k));
    }
  }
  ml::TrainingRule rule = rule_of(preset, shards);
  rule.seed = out;
  std::vector<ml::Samples> samples;
  for (const ml::Shard& shard : shards) {
    samples.push_back(ml::prepare_samples(shard, rule));
  }
  std::string weights = ml::initial_parameter_bytes(rule);
  ml::ServerState state;
  for (std::uint32_t round = 1; round <= preset.rounds; ++round) {
    weights = next_weights(rule, preset, samples, weights, round, state);
  }
  const ml::Shard left_out = letters(out);
  const std::size_t errors =
      ml::count_errors(rule, ml::prepare_samples(left_out, rule), weights, 1);
  return static_cast<double>(errors) / left_out.rows;
}

void measure(const client::Preset& preset, std::size_t folds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  double sum = 0;
  double worst = 0;
  for (std::size_t out = 1; out <= folds; ++out) {
    const double error = held_out_error(preset, out);
    sum += error;
    worst = std::max(worst, error);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto count = static_cast<double>(folds);
  static_cast<void>(std::printf("%s: mean %.4f, worst %.4f of %zu folds, %.2f s each\n",
                                std::string(preset.name).c_str(),
                                sum / count,
                                worst,
                                folds,
                                seconds / count));
}

int run(const std::vector<std::string>& words) {
  for (const client::Preset& known : client::presets()) {
    if (!words.empty() && words.front() != known.name) {
      continue;
    }
    client::Preset preset = known;
    std::size_t folds = kShards;
    for (std::size_t k = 1; k + 1 < words.size(); k += 2) {
      if (words[k] == "folds") {
        folds = std::min<std::size_t>(kShards, std::strtoul(words[k + 1].c_str(), nullptr, 10));
      } else if (!change(preset, words[k], words[k + 1])) {
        static_cast<void>(std::fprintf(stderr, "held_out: no option %s\n", words[k].c_str()));
        return 2;
      }
    }
    measure(preset, folds);
  }
  return 0;
}

}  // namespace
}  // namespace gradmill::bench

int main(int argc, char** argv) { return gradmill::bench::run({argv + 1, argv + argc}); }
