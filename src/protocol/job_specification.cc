#include "protocol/job_specification.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "protocol/rule_names.h"

namespace gradmill {
namespace {

/// The shortest text that reads back as the same double.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  GRADMILL_CHECK(error == std::errc{});
  return {text.data(), end};
}

using Hyperparameters = std::vector<std::pair<std::string, std::string>>;

void add_optimizer(Hyperparameters& all, const ml::TrainingRule& rule) {
  all.emplace_back("optimizer", name_of(rule.optimizer));
  all.emplace_back("eta", shortest(rule.eta));
  if (rule.steps_per_round > 0) {
    all.emplace_back("steps-per-round", std::to_string(rule.steps_per_round));
  } else {
    all.emplace_back("epochs", std::to_string(rule.epochs));
  }
  if (rule.optimizer == ml::Optimizer::kGd) {
    all.emplace_back("min-loss-change", shortest(rule.min_loss_change));
    return;
  }
  all.emplace_back("batch-size", std::to_string(rule.batch_size));
  if (rule.optimizer == ml::Optimizer::kMomentum) {
    all.emplace_back("momentum", shortest(rule.momentum));
  }
  all.emplace_back("weight-decay", shortest(rule.weight_decay));
  all.emplace_back("label-smoothing", shortest(rule.label_smoothing));
  all.emplace_back("schedule", name_of(rule.schedule));
}

/// A line of the canonical text.
void add(std::string& text, std::string_view field, std::string_view value) {
  text.append(field).append(" ").append(value).append("\n");
}

template <class Number>
void add_list(std::string& text, const char* field, const std::vector<Number>& values) {
  text += field;
  for (const Number value : values) {
    text += ' ';
    if constexpr (std::is_floating_point_v<Number>) {
      text += shortest(value);
    } else {
      text += std::to_string(value);
    }
  }
  text += '\n';
}

/// The size of the batches decides no bit.
Digest prediction_digest(const JobSpecification& specification) {
  const PredictionPlan& plan = *specification.prediction;
  std::string text = "gradmill prediction 1\n";
  add(text, "model", plan.model.file.digest.hex());
  add(text, "labelled", plan.labelled ? "yes" : "no");
  for (const BlobRef& shard : specification.shards) {
    add(text, "shard", shard.digest.hex());
  }
  return sha256(text);
}

}  // namespace

std::vector<BlobRef> JobSpecification::blobs() const {
  std::vector<BlobRef> all = shards;
  all.insert(all.end(), validation.begin(), validation.end());
  if (initial_weights) {
    all.push_back(*initial_weights);
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> hyperparameters(
    const JobSpecification& specification) {
  Hyperparameters all;
  add_optimizer(all, specification.rule);
  const ml::ServerRule& server = specification.server;
  all.emplace_back("server-optimizer", name_of(server.optimizer));
  all.emplace_back("server-eta", shortest(server.eta));
  if (server.optimizer != ml::ServerOptimizer::kAverage) {
    all.emplace_back("server-momentum", shortest(server.momentum));
  }
  all.emplace_back("rounds", std::to_string(specification.rounds));
  all.emplace_back("early-stop", std::to_string(specification.early_stop));
  // Named only where they are asked for, so that all other jobs keep their digests.
  if (specification.quorum > 0) {
    all.emplace_back("quorum", std::to_string(specification.quorum));
    all.emplace_back("round-deadline-ms", std::to_string(specification.round_deadline.count()));
  }
  return all;
}

Digest job_digest(const JobSpecification& specification) {
  if (specification.prediction) {
    return prediction_digest(specification);
  }
  const ml::TrainingRule& rule = specification.rule;
  std::string text = "gradmill job 2\n";
  add_list(text, "units", rule.topology.units);
  add(text, "activation", name_of(rule.activation));
  add(text, "precision", name_of(rule.precision));
  for (const auto& [name, value] : hyperparameters(specification)) {
    add(text, name, value);
  }
  add(text, "seed", std::to_string(rule.seed));
  if (!rule.standardization.empty()) {
    add_list(text, "mean", rule.standardization.mean);
    add_list(text, "deviation", rule.standardization.deviation);
  }
  for (const BlobRef& shard : specification.shards) {
    add(text, "shard", shard.digest.hex());
  }
  for (const BlobRef& shard : specification.validation) {
    add(text, "validation", shard.digest.hex());
  }
  if (specification.initial_weights) {
    add(text, "initial-weights", specification.initial_weights->digest.hex());
  }
  return sha256(text);
}

bool is_validated(const JobSpecification& specification, std::uint32_t round) {
  return specification.early_stop > 0 || round == specification.rounds ||
         round % specification.validate_every == 0;
}

}  // namespace gradmill
