#include "client/request/training_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/number.h"
#include "client/request/common_options.h"
#include "client/request/preset.h"
#include "formats/shard_blob.h"
#include "formats/text.h"
#include "protocol/job_specification.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

using program::Arguments;

// MT19937 is seeded with 32 bits.
constexpr std::uint64_t kSeedMax = 0xFFFFFFFFU;

// An input, the classes and 63 layers between them have 64 layers of weights.
constexpr std::size_t kHiddenMax = ml::kLayersMax - 1;

std::string optional_text(const Arguments& arguments, const std::string& name) {
  return arguments.given(name) ? arguments.text(name) : std::string();
}

/// A whole number counts shards, any other one is a share of them.
Quorum quorum_of(const std::string& text) {
  if (const auto shards = parse_integer<std::uint32_t>(text)) {
    if (*shards >= 1 && *shards <= kShardsMax) {
      return {.shards = *shards};
    }
  } else if (const auto share = parse_real<double>(text); share && *share > 0 && *share <= 1) {
    return {.share = *share};
  }
  throw invalid_input("--quorum: " + formats::in_quotes(text) +
                      " is not a number of shards, or a share of them such as 0.8");
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
    read_common_options(arguments_, request);
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
    read_quorum(request);
    request.timing = optional_text(arguments_, "--timing");
    request.output = optional_text(arguments_, "--output");
    request.init_from = optional_text(arguments_, "--init-from");
    request.model = optional_text(arguments_, "--model");
    if (arguments_.given("--model")) {
      check_model_name(request.model);
    }
    request.share = share_of(arguments_);
    request.job = job_id_of(arguments_);
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

  void read_quorum(TrainRequest& request) const {
    if (arguments_.given("--quorum") != arguments_.given("--round-deadline")) {
      throw invalid_input(arguments_.given("--quorum") ? "--quorum needs --round-deadline"
                                                       : "--round-deadline needs --quorum");
    }
    if (!arguments_.given("--quorum")) {
      return;
    }
    request.quorum = quorum_of(arguments_.text("--quorum"));
    request.round_deadline = arguments_.duration("--round-deadline");
    if (request.round_deadline < kRoundDeadlineMin || request.round_deadline > kRoundDeadlineMax) {
      throw invalid_input(
          "--round-deadline: " + formats::in_quotes(arguments_.text("--round-deadline")) +
          " is not a duration from 1ms to 10080min");
    }
  }

  const Arguments& arguments_;
  const Preset& base_;
};

}  // namespace

TrainRequest read_training_options(const Arguments& arguments) {
  return TrainReader(arguments).read();
}

}  // namespace gradmill::client
