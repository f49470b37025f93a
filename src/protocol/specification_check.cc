#include "protocol/specification_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"

namespace gradmill {
namespace {

void require(bool kept, const std::string& message) {
  if (!kept) {
    throw invalid_input(message);
  }
}

bool finite_above(double value, double bound) { return std::isfinite(value) && value > bound; }

/// In [0, 1); false for NaN.
bool is_fraction(double value) { return value >= 0 && value < 1; }

void check_topology(const ml::TrainingRule& rule) {
  require(ml::parameter_count(rule.topology) > 0,
          "the topology breaks a cap: " + std::to_string(ml::kLayersMax) + " layers, " +
              std::to_string(ml::kUnitsMax) + " units a layer, " +
              std::to_string(ml::kParametersMax) + " parameters");
  require(rule.activation != ml::Activation::kMlPy || rule.topology.layers() == 2,
          "activation ml-py is for one hidden layer");
}

/// Descent over the whole shard has none of what steps by batches have.
void check_gd(const ml::TrainingRule& rule) {
  const auto unused = [](bool is, const std::string& field) {
    require(is, field + " does not go with optimizer gd");
  };
  unused(rule.steps_per_round == 0, "steps-per-round");
  unused(rule.batch_size == 0, "batch-size");
  unused(rule.weight_decay == 0, "weight-decay");
  unused(rule.label_smoothing == 0, "label-smoothing");
  unused(rule.schedule == ml::Schedule::kConstant,
         "schedule " + std::string(name_of(rule.schedule)));
}

void check_length(const ml::TrainingRule& rule) {
  require((rule.epochs == 0) != (rule.steps_per_round == 0),
          "a round has either epochs or steps-per-round");
  require(rule.epochs <= kEpochsMax, "epochs must be at most " + std::to_string(kEpochsMax));
  require(rule.steps_per_round <= kStepsMax,
          "steps-per-round must be at most " + std::to_string(kStepsMax));
}

void check_standardization(const ml::TrainingRule& rule) {
  const auto& [mean, deviation] = rule.standardization;
  const auto fits = [&](const std::vector<double>& list) {
    return list.size() == (rule.standardization.empty() ? 0 : rule.topology.features());
  };
  require(fits(mean) && fits(deviation),
          "the standardization needs a mean and a deviation a feature");
  require(std::all_of(mean.begin(), mean.end(), [](double one) { return std::isfinite(one); }),
          "a mean of the standardization is not finite");
  require(std::all_of(
              deviation.begin(), deviation.end(), [](double one) { return finite_above(one, 0); }),
          "a deviation of the standardization is not above 0");
}

void check_number_of(const std::vector<BlobRef>& shards, const std::string& kind) {
  require(!shards.empty() && shards.size() <= kShardsMax,
          "a job has 1 to " + std::to_string(kShardsMax) + ' ' + kind + " shards");
}

/// A round may go without shards, once it is late and has enough of them.
void check_quorum(const JobSpecification& specification) {
  const bool deadline = specification.round_deadline.count() != 0;
  require(specification.quorum == 0 || deadline, "quorum needs round-deadline");
  require(specification.quorum > 0 || !deadline, "round-deadline needs quorum");
  require(!deadline || (specification.round_deadline >= kRoundDeadlineMin &&
                        specification.round_deadline <= kRoundDeadlineMax),
          "round-deadline must be 1 ms to 7 days");
  require(specification.quorum <= specification.shards.size(),
          "quorum must be at most the number of training shards, " +
              std::to_string(specification.shards.size()));
}

/// Everything that a prediction job does not have.
void check_no_training(const JobSpecification& specification) {
  const auto rule_fields = [](const ml::TrainingRule& rule) {
    return std::tie(rule.topology,
                    rule.activation,
                    rule.precision,
                    rule.optimizer,
                    rule.eta,
                    rule.epochs,
                    rule.steps_per_round,
                    rule.batch_size,
                    rule.momentum,
                    rule.weight_decay,
                    rule.label_smoothing,
                    rule.schedule,
                    rule.min_loss_change,
                    rule.seed,
                    rule.standardization);
  };
  const auto other_fields = [](const JobSpecification& job) {
    return std::tie(job.server.optimizer,
                    job.server.eta,
                    job.server.momentum,
                    job.rounds,
                    job.validate_every,
                    job.early_stop,
                    job.quorum,
                    job.round_deadline,
                    job.validation,
                    job.initial_weights);
  };
  const JobSpecification nothing;
  require(rule_fields(specification.rule) == rule_fields(nothing.rule) &&
              other_fields(specification) == other_fields(nothing),
          "a prediction job has nothing that is for training");
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

void check_rule(const ml::TrainingRule& rule) {
  check_topology(rule);
  require(finite_above(rule.eta, 0), "eta must be above 0");
  require(std::isfinite(rule.min_loss_change) && rule.min_loss_change >= 0,
          "min-loss-change must be 0 or above");
  require(is_fraction(rule.momentum), "momentum must be at least 0 and below 1");
  require(std::isfinite(rule.weight_decay) && rule.weight_decay >= 0,
          "weight-decay must be 0 or above");
  require(is_fraction(rule.label_smoothing), "label-smoothing must be at least 0 and below 1");
  if (rule.optimizer == ml::Optimizer::kGd) {
    check_gd(rule);
  } else {
    require(rule.batch_size >= 1 && rule.batch_size <= kBatchMax,
            "batch-size must be 1 to " + std::to_string(kBatchMax));
  }
  check_length(rule);
  check_standardization(rule);
}

void check_server_rule(const ml::ServerRule& rule) {
  require(finite_above(rule.eta, 0), "server-eta must be above 0");
  require(is_fraction(rule.momentum), "server-momentum must be at least 0 and below 1");
  require(rule.optimizer != ml::ServerOptimizer::kAverage || rule.momentum == 0,
          "server-momentum does not go with server-optimizer average");
}

void check_prediction_plan(const PredictionPlan& plan) {
  check_model_name(plan.model.model);
  require(plan.model.version >= 1, "the version of the model must be at least 1");
  require(plan.model.file.bytes >= 1, "the model file is empty");
  check_served_model(plan.model);
  // One more number stands for labels that the model does not know.
  require(!plan.labelled || plan.model.labels.size() < ml::kUnitsMax,
          "rows cannot be labelled for a model of " + std::to_string(ml::kUnitsMax) + " classes");
  require(plan.batch_rows >= 1 && plan.batch_rows <= kBatchRowsMax,
          "batch-size must be 1 to " + std::to_string(kBatchRowsMax));
}

std::uint32_t batch_rows_max(ElementType elements, std::uint32_t features) {
  const std::uint64_t row_bytes =
      std::uint64_t{features} * (elements == ElementType::kByte ? 1 : sizeof(float));
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      kBatchBytesMax / std::max<std::uint64_t>(1, row_bytes), 1, kBatchRowsMax));
}

void check_specification(const JobSpecification& specification) {
  if (specification.prediction) {
    check_no_training(specification);
    check_prediction_plan(*specification.prediction);
    require(!specification.shards.empty() && specification.shards.size() <= kShardsMax,
            "a prediction job has 1 to " + std::to_string(kShardsMax) + " shards of rows");
    return;
  }
  check_rule(specification.rule);
  check_server_rule(specification.server);
  require(specification.rounds >= 1 && specification.rounds <= kRoundsMax,
          "rounds must be 1 to " + std::to_string(kRoundsMax));
  require(specification.validate_every >= 1 && specification.validate_every <= kRoundsMax,
          "validate-every must be 1 to " + std::to_string(kRoundsMax));
  require(specification.early_stop <= kRoundsMax,
          "early-stop must be at most " + std::to_string(kRoundsMax));
  check_number_of(specification.shards, "training");
  check_number_of(specification.validation, "validation");
  check_quorum(specification);
  const ml::TrainingRule& rule = specification.rule;
  require(!specification.initial_weights ||
              specification.initial_weights->bytes ==
                  ml::parameter_count(rule.topology) * ml::element_bytes(rule.precision),
          "the initial weights do not have the size of the topology");
}

void check_job_id(const std::string& id) {
  const bool fine = !id.empty() && id.size() <= 64 && id.front() != '-' && id.front() != '.' &&
                    std::all_of(id.begin(), id.end(), is_id_character);
  if (!fine) {
    throw invalid_input("the job id " + quoted_name(id) +
                        " is not 1 to 64 letters, digits, '-', '_' or '.', starting with a letter "
                        "or digit");
  }
  require(id != "latest" && id != "all",
          "a job cannot be called '" + id + "', which stands for other jobs");
}

}  // namespace gradmill
