#include "wire/model_convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/model_name.h"
#include "protocol/rule_names.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr std::array<gradmill::AliasChange, 5> kChanges = {gradmill::AliasChange::kRegistered,
                                                           gradmill::AliasChange::kPromoted,
                                                           gradmill::AliasChange::kForced,
                                                           gradmill::AliasChange::kRolledBack,
                                                           gradmill::AliasChange::kDeleted};

std::uint32_t version_from(std::int64_t version) {
  return unsigned_from<std::uint32_t>(version, "a version");
}

std::optional<double> error_from(bool given, double value) {
  if (given && !(value >= 0 && value <= 1)) {
    throw invalid_input("a validation error is none");
  }
  return given ? std::optional(value) : std::nullopt;
}

template <class E>
E named_from(const std::string& name, std::span<const std::string_view> names, const char* field) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw invalid_input(std::string(field) + " is unknown");
  }
  return static_cast<E>(found - names.begin());
}

Confusion confusion_to_wire(const gradmill::Confusion& confusion) {
  Confusion to;
  to.classes = static_cast<std::int32_t>(confusion.classes);
  for (const gradmill::ConfusionCount& count : confusion.counts) {
    ConfusionCount& one = to.counts.emplace_back();
    one.label = static_cast<std::int32_t>(count.label);
    one.predicted = static_cast<std::int32_t>(count.predicted);
    one.rows = static_cast<std::int64_t>(count.rows);
  }
  return to;
}

gradmill::Confusion confusion_from(const Confusion& confusion) {
  gradmill::Confusion from;
  from.classes = unsigned_from<std::uint32_t>(confusion.classes, "the number of classes");
  for (const ConfusionCount& count : confusion.counts) {
    const auto label = unsigned_from<std::uint32_t>(count.label, "a class");
    const auto predicted = unsigned_from<std::uint32_t>(count.predicted, "a class");
    if (label >= from.classes || predicted >= from.classes) {
      throw invalid_input("a class is out of range");
    }
    from.counts.push_back(
        {label, predicted, unsigned_from<std::uint64_t>(count.rows, "a number of rows")});
  }
  return from;
}

void fill(ModelVersion& to, const gradmill::ModelLineage& lineage) {
  to.job = lineage.job;
  to.job_digest = to_wire(lineage.job_digest);
  to.data_digest = to_wire(lineage.data_digest);
  for (const auto& [name, value] : lineage.rule) {
    NamedValue& one = to.rule.emplace_back();
    one.name = name;
    one.value = value;
  }
  to.seed = std::bit_cast<std::int64_t>(lineage.seed);
  to.round = static_cast<std::int32_t>(lineage.round);
  for (const gradmill::RoundError& error : lineage.errors) {
    RoundError& one = to.errors.emplace_back();
    one.round = static_cast<std::int32_t>(error.round);
    one.error = error.error;
  }
  if (lineage.validation_error) {
    to.__set_validation_error(*lineage.validation_error);
  }
  if (lineage.confusion) {
    to.__set_confusion(confusion_to_wire(*lineage.confusion));
  }
}

gradmill::ModelLineage lineage_from(const ModelVersion& version) {
  gradmill::ModelLineage lineage;
  lineage.job = version.job;
  lineage.job_digest = digest_from(version.job_digest, "the job's digest");
  lineage.data_digest = digest_from(version.data_digest, "the data's digest");
  for (const NamedValue& one : version.rule) {
    lineage.rule.emplace_back(one.name, one.value);
  }
  lineage.seed = std::bit_cast<std::uint64_t>(version.seed);
  lineage.round = unsigned_from<std::uint32_t>(version.round, "the round");
  for (const RoundError& one : version.errors) {
    lineage.errors.push_back(
        {unsigned_from<std::uint32_t>(one.round, "a round"), *error_from(true, one.error)});
  }
  lineage.validation_error = error_from(version.__isset.validation_error, version.validation_error);
  if (version.__isset.confusion) {
    lineage.confusion = confusion_from(version.confusion);
  }
  return lineage;
}

ModelVersion version_to_wire(const gradmill::ModelVersion& version) {
  ModelVersion to;
  to.model = version.model;
  to.version = version.version;
  to.file = to_wire(version.file);
  to.parameters = to_wire(version.parameters);
  to.units.assign(version.topology.units.begin(), version.topology.units.end());
  to.activation = name_of(version.activation);
  to.precision = name_of(version.precision);
  to.standardized = version.standardized;
  to.labels = version.labels;
  fill(to, version.lineage);
  to.created_ms = version.created_ms;
  return to;
}

gradmill::ModelVersion version_from(const ModelVersion& version) {
  gradmill::ModelVersion from;
  check_model_name(version.model);
  from.model = version.model;
  from.version = version_from(version.version);
  from.file = blob_from(version.file, "the model file");
  from.parameters = digest_from(version.parameters, "the parameters' digest");
  for (const std::int32_t units : version.units) {
    from.topology.units.push_back(unsigned_from<std::uint32_t>(units, "a layer's units"));
  }
  if (ml::parameter_count(from.topology) == 0) {
    throw invalid_input("the topology is none");
  }
  if (version.labels.size() != from.topology.classes()) {
    throw invalid_input("the labels are not as many as the classes");
  }
  from.activation =
      named_from<ml::Activation>(version.activation, kActivationNames, "the activation");
  from.precision = named_from<ml::Precision>(version.precision, kPrecisionNames, "the precision");
  from.standardized = version.standardized;
  from.labels = version.labels;
  from.lineage = lineage_from(version);
  from.created_ms = time_from(version.created_ms, "the time of the version");
  return from;
}

}  // namespace

AliasMove to_wire(const gradmill::AliasMove& move) {
  AliasMove to;
  to.time_ms = move.time_ms;
  to.alias_name = move.alias;
  to.from_version = move.from;
  to.to_version = move.to;
  to.change = name_of(move.change);
  return to;
}

gradmill::AliasMove move_from(const AliasMove& move) {
  const auto* const change =
      std::find_if(kChanges.begin(), kChanges.end(), [&](gradmill::AliasChange one) {
        return name_of(one) == move.change;
      });
  if (change == kChanges.end()) {
    throw invalid_input("the change of an alias is unknown");
  }
  return {.time_ms = time_from(move.time_ms, "the time of a change"),
          .alias = move.alias_name,
          .from = version_from(move.from_version),
          .to = version_from(move.to_version),
          .change = *change};
}

ListModelsResponse to_wire(const std::vector<gradmill::ModelSummary>& models) {
  ListModelsResponse to;
  for (const gradmill::ModelSummary& model : models) {
    ModelSummary& one = to.models.emplace_back();
    one.model = model.model;
    one.version = model.version;
    one.aliases = model.aliases;
    one.versions = static_cast<std::int32_t>(model.versions);
    if (model.validation_error) {
      one.__set_validation_error(*model.validation_error);
    }
    one.topology = model.topology;
    one.optimizer = model.optimizer;
    one.job = model.job;
    one.created_ms = model.created_ms;
  }
  return to;
}

std::vector<gradmill::ModelSummary> models_from(const ListModelsResponse& response) {
  std::vector<gradmill::ModelSummary> models;
  for (const ModelSummary& one : response.models) {
    check_model_name(one.model);
    gradmill::ModelSummary& model = models.emplace_back();
    model.model = one.model;
    model.version = version_from(one.version);
    model.aliases = one.aliases;
    model.versions = unsigned_from<std::uint32_t>(one.versions, "the number of versions");
    model.validation_error = error_from(one.__isset.validation_error, one.validation_error);
    model.topology = one.topology;
    model.optimizer = one.optimizer;
    model.job = one.job;
    model.created_ms = time_from(one.created_ms, "the time of a version");
  }
  return models;
}

GetModelResponse to_wire(const gradmill::ModelDetails& details) {
  GetModelResponse to;
  to.version = version_to_wire(details.version);
  for (const gradmill::ModelAlias& alias : details.aliases) {
    ModelAlias& one = to.aliases.emplace_back();
    one.alias_name = alias.alias;
    one.version = alias.version;
  }
  for (const gradmill::AliasMove& move : details.history) {
    to.history.push_back(to_wire(move));
  }
  return to;
}

gradmill::ModelDetails model_from(const GetModelResponse& response) {
  gradmill::ModelDetails details;
  details.version = version_from(response.version);
  for (const ModelAlias& alias : response.aliases) {
    details.aliases.push_back({alias.alias_name, version_from(alias.version)});
  }
  for (const AliasMove& move : response.history) {
    details.history.push_back(move_from(move));
  }
  return details;
}

}  // namespace gradmill::wire
