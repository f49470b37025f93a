#include "coordinator/store/texts/model_texts.h"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "coordinator/store/texts/json_values.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"

namespace gradmill::coordinator {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kChangeNames = {
    "registered", "promoted", "forced", "rolled_back", "deleted"};

json confusion_json(const Confusion& confusion) {
  json counts = json::array();
  for (const ConfusionCount& count : confusion.counts) {
    counts.push_back(json::array({count.label, count.predicted, count.rows}));
  }
  return {{"classes", confusion.classes}, {"counts", std::move(counts)}};
}

Confusion confusion_of(const json& object) {
  Confusion confusion;
  get(object, "classes", confusion.classes);
  for (const json& item : object.at("counts")) {
    ConfusionCount& count = confusion.counts.emplace_back();
    get_exactly(item.at(0), count.label);
    get_exactly(item.at(1), count.predicted);
    get_exactly(item.at(2), count.rows);
    if (count.label >= confusion.classes || count.predicted >= confusion.classes) {
      throw Damage("no class");
    }
  }
  return confusion;
}

json lineage_json(const ModelLineage& lineage) {
  json rule = json::array();
  for (const auto& [name, value] : lineage.rule) {
    rule.push_back(json::array({name, value}));
  }
  json errors = json::array();
  for (const RoundError& error : lineage.errors) {
    errors.push_back(json::array({error.round, number(error.error)}));
  }
  json object = {{"job", lineage.job},
                 {"job_digest", lineage.job_digest.hex()},
                 {"data_digest", lineage.data_digest.hex()},
                 {"rule", std::move(rule)},
                 {"seed", lineage.seed},
                 {"round", lineage.round},
                 {"errors", std::move(errors)}};
  if (lineage.validation_error) {
    object["validation_error"] = number(*lineage.validation_error);
  }
  if (lineage.confusion) {
    object["confusion"] = confusion_json(*lineage.confusion);
  }
  return object;
}

ModelLineage lineage_of(const json& object) {
  ModelLineage lineage;
  get(object, "job", lineage.job);
  lineage.job_digest = digest_of(object.at("job_digest"));
  lineage.data_digest = digest_of(object.at("data_digest"));
  for (const json& item : object.at("rule")) {
    auto& [name, value] = lineage.rule.emplace_back();
    get_exactly(item.at(0), name);
    get_exactly(item.at(1), value);
  }
  get(object, "seed", lineage.seed);
  get(object, "round", lineage.round);
  for (const json& item : object.at("errors")) {
    RoundError& error = lineage.errors.emplace_back();
    get_exactly(item.at(0), error.round);
    error.error = number_of(item.at(1));
  }
  if (object.contains("validation_error")) {
    lineage.validation_error = number_of(object.at("validation_error"));
  }
  if (object.contains("confusion")) {
    lineage.confusion = confusion_of(object.at("confusion"));
  }
  return lineage;
}

}  // namespace

std::string text_of(const NumberedModel& model) {
  const ModelVersion& version = model.version;
  return dump({{"number", model.number},
               {"model", version.model},
               {"version", version.version},
               {"file", ref_json(version.file)},
               {"parameters", version.parameters.hex()},
               {"units", version.topology.units},
               {"activation", name_of(version.activation)},
               {"precision", name_of(version.precision)},
               {"standardized", version.standardized},
               {"labels", version.labels},
               {"lineage", lineage_json(version.lineage)},
               {"created_ms", version.created_ms}});
}

NumberedModel model_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    NumberedModel model;
    ModelVersion& version = model.version;
    get(object, "number", model.number);
    get(object, "model", version.model);
    check_model_name(version.model);
    get(object, "version", version.version);
    version.file = ref_of(object.at("file"));
    version.parameters = digest_of(object.at("parameters"));
    get(object, "units", version.topology.units);
    get_named(object, "activation", kActivationNames, version.activation);
    get_named(object, "precision", kPrecisionNames, version.precision);
    get(object, "standardized", version.standardized);
    get(object, "labels", version.labels);
    version.lineage = lineage_of(object.at("lineage"));
    get(object, "created_ms", version.created_ms);
    if (version.version == 0 || ml::parameter_count(version.topology) == 0 ||
        version.labels.size() != version.topology.classes()) {
      throw Damage("no version of a model");
    }
    return model;
  });
}

std::string text_of(const ModelAliases& aliases) {
  json history = json::array();
  for (const AliasMove& move : aliases.history) {
    history.push_back(
        json::array({move.time_ms, move.alias, move.from, move.to, name_of(move.change)}));
  }
  return dump({{"model", aliases.model},
               {"last_version", aliases.last_version},
               {"history", std::move(history)}});
}

ModelAliases aliases_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    ModelAliases aliases;
    get(object, "model", aliases.model);
    check_model_name(aliases.model);
    get(object, "last_version", aliases.last_version);
    for (const json& item : object.at("history")) {
      AliasMove& move = aliases.history.emplace_back();
      get_exactly(item.at(0), move.time_ms);
      get_exactly(item.at(1), move.alias);
      get_exactly(item.at(2), move.from);
      get_exactly(item.at(3), move.to);
      get_named(json{{"change", item.at(4)}}, "change", kChangeNames, move.change);
      if (move.change != AliasChange::kDeleted) {
        check_model_alias(move.alias);
      }
    }
    return aliases;
  });
}

}  // namespace gradmill::coordinator
