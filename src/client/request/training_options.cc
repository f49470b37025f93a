#include "client/request/training_options.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "client/request/common_options.h"
#include "client/request/preset.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

/// The names as a sentence lists them: a, b or c.
std::string listed(std::span<const std::string_view> names) {
  std::string text(names.front());
  for (std::size_t n = 1; n < names.size(); ++n) {
    text += (n + 1 == names.size() ? " or " : ", ") + std::string(names[n]);
  }
  return text;
}

void add_recipe_options(program::CommandLine& line) {
  line.group("Recipe")
      .option("--preset",
              "NAME",
              std::nullopt,
              listed(preset_names()) + ": a whole recipe; what else you say wins over it")
      .values(preset_names())
      .option("--rounds", "N", std::nullopt, "rounds of training all shards and averaging")
      .option("--epochs", "N", std::nullopt, "passes of a task over its shard in a round")
      .option("--steps-per-round", "N", std::nullopt, "steps of a task in a round; not for gd")
      .option("--hidden", "LIST", std::nullopt, "units of the hidden layers: 24 or 256,128")
      .option(
          "--eta", "X", std::nullopt, "step size: of the summed gradient for gd, else the mean");
}

void add_model_options(program::CommandLine& line) {
  line.group("Model and data")
      .option("--activation", "NAME", std::nullopt, listed(kActivationNames) + " (default relu)")
      .values(kActivationNames)
      .option("--precision", "NAME", "float", listed(kPrecisionNames))
      .values(kPrecisionNames)
      .option("--classes", "N", std::nullopt, "number of classes (default: largest label + 1)")
      .flag("--standardize", "bring features to mean 0 and deviation 1, by all training shards")
      .option("--init-from", "FILE", std::nullopt, "start from a model: .safetensors or .npz")
      .option("--seed", "N", "1", "of the initial weights and the order of rows");
}

void add_shard_options(program::CommandLine& line) {
  line.group("Training a shard")
      .option("--optimizer", "NAME", std::nullopt, listed(kOptimizerNames) + " (default gd)")
      .values(kOptimizerNames)
      .option("--min-loss-change",
              "X",
              std::nullopt,
              "gd: end a task when its loss changes by X or less; 0: never (default 0.2)")
      .option("--batch-size", "N", std::nullopt, "rows of a step; not for gd (default 64)")
      .option("--schedule",
              "NAME",
              std::nullopt,
              "of eta: " + listed(kScheduleNames) + "; not for gd (default constant)")
      .values(kScheduleNames)
      .option("--momentum", "X", std::nullopt, "of optimizer momentum (default 0.9)")
      .option("--weight-decay", "X", std::nullopt, "decoupled; not for gd (default 0)")
      .option("--label-smoothing",
              "X",
              std::nullopt,
              "share of each target that all classes get; not for gd (default 0)");
}

void add_averaging_options(program::CommandLine& line) {
  line.group("Averaging")
      .option("--server-optimizer",
              "NAME",
              std::nullopt,
              listed(kServerOptimizerNames) + " (default average)")
      .values(kServerOptimizerNames)
      .option("--server-eta", "X", std::nullopt, "its step size (default 1; adam: 0.01)")
      .option("--server-momentum",
              "X",
              std::nullopt,
              "of server optimizers momentum and adam (default 0.9)")
      .option("--validate-every",
              "N",
              std::nullopt,
              "rounds from one validation to the next (default: 1, or the preset's)")
      .option("--early-stop",
              "N",
              std::nullopt,
              "end after N rounds without a lower error; the best round is the result")
      .option("--quorum",
              "N",
              std::nullopt,
              "shards that are enough once a round is late: 9, or a share of them such as 0.8")
      .option("--round-deadline", "TIME", std::nullopt, "when a round is late; with --quorum");
}

}  // namespace

void add_training_options(program::CommandLine& line) {
  add_recipe_options(line);
  add_model_options(line);
  add_shard_options(line);
  add_averaging_options(line);
  line.group("Job and result")
      .option("--model",
              "NAME",
              std::nullopt,
              "register the result as a version of this model (default: the data folder's name)")
      .option("--timing", "FILE", std::nullopt, "write the seconds of each round and task as CSV")
      .option(
          "--output", "FILE", std::nullopt, "write the trained model: .safetensors, .npz or .onnx");
  add_job_options(line);
  add_common_options(line);
}

}  // namespace gradmill::client
