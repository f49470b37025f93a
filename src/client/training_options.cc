#include "client/training_options.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random_id.h"
#include "client/preset.h"
#include "formats/shard_blob.h"
#include "protocol/job_specification.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;

constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};
// MT19937 is seeded with 32 bits.
constexpr std::uint64_t kSeedMax = 0xFFFFFFFFU;

// An input, the classes and 63 layers between them have 64 layers of weights.
constexpr std::size_t kHiddenMax = ml::kLayersMax - 1;

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : presets()) {
    names.push_back(preset.name);
  }
  return names;
}

/// The names as a sentence lists them: a, b or c.
std::string listed(std::span<const std::string_view> names) {
  std::string text(names.front());
  for (std::size_t n = 1; n < names.size(); ++n) {
    text += (n + 1 == names.size() ? " or " : ", ") + std::string(names[n]);
  }
  return text;
}

std::string optional_text(const Arguments& arguments, const std::string& name) {
  return arguments.given(name) ? arguments.text(name) : std::string();
}

// What a preset replaces.
const Preset& plain() {
  static const Preset preset = {.name = "",
                                .hidden = {},
                                .optimizer = ml::Optimizer::kGd,
                                .batch_size = 64,
                                .momentum = 0.9,
                                .server = {}};
  return preset;
}

/// Reads the options of a training job: what the user says, else the preset, else the defaults.
/// Keeps a reference to the arguments.
class TrainReader {
 public:
  explicit TrainReader(const Arguments& arguments)
      : arguments_(arguments), base_(base_of(arguments)) {}

  /// All but coordinator and folder.
  [[nodiscard]] TrainRequest read() const {
    TrainRequest request;
    request.rounds = recipe_number("<rounds>", "--rounds", kRoundsMax, base_.rounds);
    request.hidden = read_hidden();
    request.rule = read_rule();
    request.server = read_server();
    request.early_stop = number("--early-stop", kRoundsMax, 0);
    request.validate_every = number("--validate-every", kRoundsMax, base_.validate_every);
    if (arguments_.given("--validate-every") && request.early_stop > 0) {
      contradict("--validate-every", "--early-stop, which validates every round");
    }
    if (arguments_.flag("--standardize")) {
      request.standardize = Standardize::kAsked;
    } else if (base_.standardize) {
      request.standardize = Standardize::kByPreset;
    }
    if (arguments_.given("--classes")) {
      request.classes = number("--classes", formats::kClassesMax, 0);
    }
    request.format = format_of(arguments_);
    request.timing = optional_text(arguments_, "--timing");
    request.output = optional_text(arguments_, "--output");
    request.init_from = optional_text(arguments_, "--init-from");
    request.job = arguments_.given("--id") ? arguments_.text("--id") : "job-" + random_id(8);
    return request;
  }

 private:
  static const Preset& base_of(const Arguments& arguments) {
    if (!arguments.given("--preset")) {
      return plain();
    }
    const std::string& name = arguments.choice("--preset", preset_names());
    return *std::find_if(presets().begin(), presets().end(), [&](const Preset& preset) {
      return preset.name == name;
    });
  }

  [[nodiscard]] bool has_preset() const { return !base_.name.empty(); }

  /// The name under which the user gave a part of the recipe; nothing if it comes from the preset.
  [[nodiscard]] std::optional<std::string> given_as(const std::string& argument,
                                                    const std::string& option) const {
    if (arguments_.given(argument) && arguments_.given(option)) {
      throw invalid_input(option + ": " + argument + " is given too; leave out one of them");
    }
    if (arguments_.given(option)) {
      return option;
    }
    if (arguments_.given(argument)) {
      return argument;
    }
    if (!has_preset()) {
      missing(argument, option);
    }
    return std::nullopt;
  }

  [[noreturn]] void missing(const std::string& argument, const std::string& option) const {
    throw invalid_input((arguments_.given("<dir>") && !has_preset() ? argument : option) +
                        " is missing; see client --help");
  }

  [[nodiscard]] std::uint32_t recipe_number(const std::string& argument,
                                            const std::string& option,
                                            std::uint32_t most,
                                            std::uint32_t preset) const {
    const std::optional<std::string> name = given_as(argument, option);
    return name ? number(*name, most, 0) : preset;
  }

  [[nodiscard]] std::uint32_t number(const std::string& name,
                                     std::uint32_t most,
                                     std::uint32_t fallback) const {
    return arguments_.given(name) ? static_cast<std::uint32_t>(arguments_.integer(name, 1, most))
                                  : fallback;
  }

  [[nodiscard]] double fraction(const std::string& name, double fallback) const {
    return arguments_.given(name) ? arguments_.fraction(name) : fallback;
  }

  template <class E>
  [[nodiscard]] E choice(const std::string& name,
                         std::span<const std::string_view> names,
                         E fallback) const {
    return arguments_.given(name) ? named<E>(arguments_.choice(name, names), names) : fallback;
  }

  /// How an option came to its value, for messages.
  [[nodiscard]] std::string origin(const std::string& option, std::string_view value) const {
    const char* const from = arguments_.given(option) ? ""
                             : has_preset()           ? " of the preset"
                                                      : " (the default)";
    return option + ' ' + std::string(value) + from;
  }

  [[nodiscard]] std::vector<std::uint32_t> read_hidden() const {
    const std::optional<std::string> name = given_as("<h>", "--hidden");
    if (!name) {
      return base_.hidden;
    }
    const auto units = arguments_.integers(*name, 1, ml::kUnitsMax, kHiddenMax);
    return {units.begin(), units.end()};
  }

  [[nodiscard]] ml::TrainingRule read_rule() const {
    ml::TrainingRule rule;
    rule.precision =
        named<ml::Precision>(arguments_.choice("--precision", kPrecisionNames), kPrecisionNames);
    rule.seed = arguments_.integer("--seed", 0, kSeedMax);
    rule.activation = choice("--activation", kActivationNames, base_.activation);
    rule.optimizer = choice("--optimizer", kOptimizerNames, base_.optimizer);
    if (rule.optimizer == ml::Optimizer::kGd) {
      read_gd(rule);
    } else {
      read_batches(rule);
    }
    read_length(rule);
    rule.eta = read_eta(rule);
    return rule;
  }

  void read_gd(ml::TrainingRule& rule) const {
    for (const char* const option : {"--batch-size",
                                     "--steps-per-round",
                                     "--schedule",
                                     "--momentum",
                                     "--weight-decay",
                                     "--label-smoothing"}) {
      if (arguments_.given(option)) {
        contradict(option, origin("--optimizer", name_of(rule.optimizer)));
      }
    }
    if (arguments_.given("--min-loss-change")) {
      rule.min_loss_change = arguments_.real("--min-loss-change", 0, HUGE_VAL);
    }
  }

  void read_batches(ml::TrainingRule& rule) const {
    const std::string optimizer = origin("--optimizer", name_of(rule.optimizer));
    if (arguments_.given("--min-loss-change")) {
      contradict("--min-loss-change", optimizer);
    }
    if (arguments_.given("--momentum") && rule.optimizer != ml::Optimizer::kMomentum) {
      contradict("--momentum", optimizer);
    }
    rule.batch_size = number("--batch-size", kBatchMax, base_.batch_size);
    rule.momentum = fraction("--momentum", base_.momentum);
    rule.weight_decay = arguments_.given("--weight-decay")
                            ? arguments_.real("--weight-decay", 0, HUGE_VAL)
                            : base_.weight_decay;
    rule.label_smoothing = fraction("--label-smoothing", base_.label_smoothing);
    rule.schedule = choice("--schedule", kScheduleNames, base_.schedule);
  }

  void read_length(ml::TrainingRule& rule) const {
    if (arguments_.given("--steps-per-round")) {
      if (arguments_.given("--epochs")) {
        contradict("--steps-per-round", "--epochs");
      }
      rule.steps_per_round = number("--steps-per-round", kStepsMax, 0);
      return;
    }
    rule.epochs = recipe_number("<epochs>", "--epochs", kEpochsMax, base_.epochs);
    if (rule.epochs == 0 && rule.optimizer == ml::Optimizer::kGd) {
      missing("<epochs>", "--epochs");
    }
    rule.steps_per_round = rule.epochs == 0 ? base_.steps_per_round : 0;
  }

  [[nodiscard]] double read_eta(const ml::TrainingRule& rule) const {
    const std::optional<std::string> name = given_as("<eta>", "--eta");
    if (!name && rule.optimizer != base_.optimizer) {
      throw invalid_input("--optimizer " + std::string(name_of(rule.optimizer)) +
                          " needs --eta: that of the preset is for " +
                          std::string(name_of(base_.optimizer)));
    }
    return name ? arguments_.real_above(*name, 0) : base_.eta;
  }

  [[nodiscard]] ml::ServerRule read_server() const {
    ml::ServerRule server;
    server.optimizer = choice("--server-optimizer", kServerOptimizerNames, base_.server.optimizer);
    if (server.optimizer == base_.server.optimizer) {
      server = base_.server;
    } else {
      server.eta = server.optimizer == ml::ServerOptimizer::kAdam ? 0.01 : 1;
      server.momentum = server.optimizer == ml::ServerOptimizer::kAverage ? 0 : 0.9;
    }
    if (arguments_.given("--server-eta")) {
      server.eta = arguments_.real_above("--server-eta", 0);
    }
    if (arguments_.given("--server-momentum")) {
      if (server.optimizer == ml::ServerOptimizer::kAverage) {
        contradict("--server-momentum", origin("--server-optimizer", name_of(server.optimizer)));
      }
      server.momentum = arguments_.fraction("--server-momentum");
    }
    return server;
  }

  const Arguments& arguments_;
  const Preset& base_;
};

}  // namespace

void add_training_options(CommandLine& line) {
  line.group("Recipe")
      .option("--preset",
              "NAME",
              std::nullopt,
              listed(preset_names()) + ": a whole recipe; what else you say wins over it")
      .option("--rounds", "N", std::nullopt, "rounds of training all shards and averaging")
      .option("--epochs", "N", std::nullopt, "passes of a task over its shard in a round")
      .option("--steps-per-round", "N", std::nullopt, "steps of a task in a round; not for gd")
      .option("--hidden", "LIST", std::nullopt, "units of the hidden layers: 24 or 256,128")
      .option("--eta", "X", std::nullopt, "step size: of the summed gradient for gd, else the mean")
      .group("Model and data")
      .option("--activation", "NAME", std::nullopt, listed(kActivationNames) + " (default relu)")
      .option("--precision", "NAME", "float", listed(kPrecisionNames))
      .option("--classes", "N", std::nullopt, "number of classes (default: largest label + 1)")
      .flag("--standardize", "bring features to mean 0 and deviation 1, by all training shards")
      .option("--init-from", "FILE", std::nullopt, "start from a model written by --output")
      .option("--seed", "N", "1", "of the initial weights and the order of rows")
      .group("Training a shard")
      .option("--optimizer", "NAME", std::nullopt, listed(kOptimizerNames) + " (default gd)")
      .option("--min-loss-change",
              "X",
              std::nullopt,
              "gd: end a task when its loss changes by X or less; 0: never (default 0.2)")
      .option("--batch-size", "N", std::nullopt, "rows of a step; not for gd (default 64)")
      .option("--schedule",
              "NAME",
              std::nullopt,
              "of eta: " + listed(kScheduleNames) + "; not for gd (default constant)")
      .option("--momentum", "X", std::nullopt, "of optimizer momentum (default 0.9)")
      .option("--weight-decay", "X", std::nullopt, "decoupled; not for gd (default 0)")
      .option("--label-smoothing",
              "X",
              std::nullopt,
              "share of each target that all classes get; not for gd (default 0)")
      .group("Averaging")
      .option("--server-optimizer",
              "NAME",
              std::nullopt,
              listed(kServerOptimizerNames) + " (default average)")
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
      .group("Job and result")
      .option("--id", "ID", std::nullopt, "id of the job (default: a random one)")
      .option("--format", "NAME", "text", "of the result: text or json")
      .option("--timing", "FILE", std::nullopt, "write the seconds of each round and task as CSV")
      .option("--output", "FILE", std::nullopt, "write the trained model as safetensors");
}

Format format_of(const Arguments& arguments) {
  return arguments.choice("--format", kFormats) == "json" ? Format::kJson : Format::kText;
}

void contradict(const std::string& one, const std::string& other) {
  throw invalid_input(one + " does not go with " + other);
}

TrainRequest read_training_options(const Arguments& arguments) {
  return TrainReader(arguments).read();
}

}  // namespace gradmill::client
