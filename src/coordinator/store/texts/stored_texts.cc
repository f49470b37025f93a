#include "coordinator/store/texts/stored_texts.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "coordinator/store/texts/json_values.h"
#include "coordinator/store/texts/prediction_texts.h"
#include "coordinator/store/texts/statistics_texts.h"
#include "coordinator/store/texts/strict_json.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"
#include "protocol/specification_check.h"

namespace gradmill::coordinator {
namespace {

using nlohmann::json;

json refs_json(const std::vector<BlobRef>& refs) {
  json list = json::array();
  std::transform(refs.begin(), refs.end(), std::back_inserter(list), ref_json);
  return list;
}

std::vector<BlobRef> refs_of(const json& list) {
  std::vector<BlobRef> refs;
  std::transform(list.begin(), list.end(), std::back_inserter(refs), ref_of);
  return refs;
}

json rule_json(const ml::TrainingRule& rule) {
  return {{"units", rule.topology.units},
          {"activation", name_of(rule.activation)},
          {"precision", name_of(rule.precision)},
          {"optimizer", name_of(rule.optimizer)},
          {"eta", rule.eta},
          {"epochs", rule.epochs},
          {"steps_per_round", rule.steps_per_round},
          {"batch_size", rule.batch_size},
          {"momentum", rule.momentum},
          {"weight_decay", rule.weight_decay},
          {"label_smoothing", rule.label_smoothing},
          {"schedule", name_of(rule.schedule)},
          {"min_loss_change", rule.min_loss_change},
          {"seed", rule.seed},
          {"mean", rule.standardization.mean},
          {"deviation", rule.standardization.deviation}};
}

ml::TrainingRule rule_of(const json& object) {
  ml::TrainingRule rule;
  get(object, "units", rule.topology.units);
  get_named(object, "activation", kActivationNames, rule.activation);
  get_named(object, "precision", kPrecisionNames, rule.precision);
  get_named(object, "optimizer", kOptimizerNames, rule.optimizer);
  get(object, "eta", rule.eta);
  get(object, "epochs", rule.epochs);
  get(object, "steps_per_round", rule.steps_per_round);
  get(object, "batch_size", rule.batch_size);
  get(object, "momentum", rule.momentum);
  get(object, "weight_decay", rule.weight_decay);
  get(object, "label_smoothing", rule.label_smoothing);
  get_named(object, "schedule", kScheduleNames, rule.schedule);
  get(object, "min_loss_change", rule.min_loss_change);
  get(object, "seed", rule.seed);
  get(object, "mean", rule.standardization.mean);
  get(object, "deviation", rule.standardization.deviation);
  return rule;
}

json specification_json(const JobSpecification& specification) {
  if (specification.prediction) {
    return {{"prediction", json_of(*specification.prediction)},
            {"shards", refs_json(specification.shards)}};
  }
  json object = {{"rule", rule_json(specification.rule)},
                 {"server_optimizer", name_of(specification.server.optimizer)},
                 {"server_eta", specification.server.eta},
                 {"server_momentum", specification.server.momentum},
                 {"rounds", specification.rounds},
                 {"validate_every", specification.validate_every},
                 {"early_stop", specification.early_stop},
                 {"quorum", specification.quorum},
                 {"round_deadline_ms", specification.round_deadline.count()},
                 {"shards", refs_json(specification.shards)},
                 {"validation", refs_json(specification.validation)}};
  if (specification.initial_weights) {
    object["initial_weights"] = ref_json(*specification.initial_weights);
  }
  return object;
}

JobSpecification specification_of(const json& object) {
  JobSpecification specification;
  specification.shards = refs_of(object.at("shards"));
  if (const auto plan = object.find("prediction"); plan != object.end()) {
    specification.prediction = plan_of(*plan);
    if (specification.shards.empty() || specification.shards.size() > kShardsMax) {
      throw Damage("no rows of a prediction job");
    }
    return specification;
  }
  specification.rule = rule_of(object.at("rule"));
  get_named(object, "server_optimizer", kServerOptimizerNames, specification.server.optimizer);
  get(object, "server_eta", specification.server.eta);
  get(object, "server_momentum", specification.server.momentum);
  get(object, "rounds", specification.rounds);
  get(object, "validate_every", specification.validate_every);
  get(object, "early_stop", specification.early_stop);
  get(object, "quorum", specification.quorum);
  std::int64_t round_deadline_ms = 0;
  get(object, "round_deadline_ms", round_deadline_ms);
  specification.round_deadline = std::chrono::milliseconds(round_deadline_ms);
  specification.validation = refs_of(object.at("validation"));
  if (object.contains("initial_weights")) {
    specification.initial_weights = ref_of(object.at("initial_weights"));
  }
  check_specification(specification);
  return specification;
}

constexpr std::array kStates = {JobState::kPending,
                                JobState::kPaused,
                                JobState::kSucceeded,
                                JobState::kFailed,
                                JobState::kCancelled};

/// Of the states that are stored; a job that runs is pending when it is found again.
JobState state_of(const json& value) {
  const auto& text = value.get_ref<const std::string&>();
  const auto* found = std::find_if(
      kStates.begin(), kStates.end(), [&](JobState state) { return name_of(state) == text; });
  if (found == kStates.end()) {
    throw Damage("unknown state");
  }
  return *found;
}

std::string_view stored_name_of(JobState state) {
  const bool stored = std::find(kStates.begin(), kStates.end(), state) != kStates.end();
  return name_of(stored ? state : JobState::kPending);
}

template <class T>
void put_if(json& object, const char* key, const std::optional<T>& value) {
  if (value) {
    object[key] = *value;
  }
}

template <class T>
void get_if(const json& object, const char* key, std::optional<T>& value) {
  if (const auto found = object.find(key); found != object.end()) {
    get_exactly(*found, value.emplace());
  }
}

}  // namespace

std::string text_of(const Definition& definition) {
  json object = {{"number", definition.number},
                 {"job", definition.job},
                 {"specification", specification_json(*definition.specification)},
                 {"shard_rows", definition.shard_rows},
                 {"submitted_ms", definition.submitted_ms},
                 {"priority", definition.share.priority},
                 {"weight", definition.share.weight}};
  if (!definition.model.empty()) {
    object["model"] = definition.model;
  }
  return dump(object);
}

Definition definition_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    Definition definition;
    get(object, "number", definition.number);
    get(object, "job", definition.job);
    check_job_id(definition.job);
    definition.specification =
        std::make_shared<const JobSpecification>(specification_of(object.at("specification")));
    get(object, "shard_rows", definition.shard_rows);
    if (definition.specification->prediction &&
        definition.shard_rows.size() != definition.specification->shards.size()) {
      throw Damage("other shards than numbers of their rows");
    }
    get(object, "submitted_ms", definition.submitted_ms);
    if (object.contains("priority")) {  // Older folders have neither.
      get(object, "priority", definition.share.priority);
      get(object, "weight", definition.share.weight);
      if (!is_valid(definition.share)) {
        throw Damage("no share of a job");
      }
    }
    if (object.contains("model")) {
      get(object, "model", definition.model);
      check_model_name(definition.model);
    }
    return definition;
  });
}

std::string text_of(const Progress& progress) {
  json tallies = json::object();
  for (const auto& [node, tally] : progress.tallies) {
    tallies[node] = json::array({tally.tasks, tally.refused, tally.failed});
  }
  json object = {{"state", stored_name_of(progress.state)},
                 {"reason", progress.end.reason},
                 {"message", progress.end.message},
                 {"ended_ms", progress.ended_ms},
                 {"round", progress.round},
                 {"weights", ref_json(progress.weights)},
                 {"best_round", progress.best_round},
                 {"best_error", number(progress.best_error)},
                 {"best_weights", ref_json(progress.best_weights)},
                 {"exact", progress.exact},
                 {"nodes", std::move(tallies)}};
  if (progress.predicted > 0) {
    object["predicted"] = progress.predicted;
  }
  if (progress.batch_rows > 0) {
    object["batch_rows"] = progress.batch_rows;
  }
  if (progress.statistics) {
    object["statistics"] = json_of(*progress.statistics);
  }
  return dump(object);
}

Progress progress_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    Progress progress;
    progress.state = state_of(object.at("state"));
    get(object, "reason", progress.end.reason);
    get(object, "message", progress.end.message);
    get(object, "ended_ms", progress.ended_ms);
    get(object, "round", progress.round);
    progress.weights = ref_of(object.at("weights"));
    get(object, "best_round", progress.best_round);
    get_number(object, "best_error", progress.best_error);
    progress.best_weights = ref_of(object.at("best_weights"));
    get(object, "exact", progress.exact);
    for (const auto& [node, tally] : object.at("nodes").items()) {
      NodeTally& one = progress.tallies[node];
      get_exactly(tally.at(0), one.tasks);
      get_exactly(tally.at(1), one.refused);
      get_exactly(tally.at(2), one.failed);
    }
    if (object.contains("predicted")) {
      get(object, "predicted", progress.predicted);
    }
    if (object.contains("batch_rows")) {
      get(object, "batch_rows", progress.batch_rows);
      if (progress.batch_rows > kBatchRowsMax) {
        throw Damage("no size of a batch");
      }
    }
    if (object.contains("statistics")) {  // Older folders have none.
      progress.statistics = statistics_of(object.at("statistics"));
    }
    return progress;
  });
}

std::string text_of(const RoundReport& report) {
  json object = {{"round", report.round},
                 {"seconds", number(report.seconds)},
                 {"aggregate", number(report.aggregate)},
                 {"validate", number(report.validate)},
                 {"missing", report.missing}};
  if (report.validation_error) {
    object["validation_error"] = number(*report.validation_error);
  }
  return dump(object);
}

RoundReport report_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    RoundReport report;
    get(object, "round", report.round);
    get_number(object, "seconds", report.seconds);
    get_number(object, "aggregate", report.aggregate);
    get_number(object, "validate", report.validate);
    get(object, "missing", report.missing);
    if (object.contains("validation_error")) {
      report.validation_error = number_of(object.at("validation_error"));
    }
    return report;
  });
}

std::string text_of(const std::vector<TaskReport>& tasks) {
  json list = json::array();
  for (const TaskReport& task : tasks) {
    list.push_back(json::array({task.shard,
                                task.node,
                                number(task.transfer),
                                number(task.compute),
                                number(task.wait),
                                task.epochs,
                                number(task.loss),
                                task.offers}));
  }
  return dump(list);
}

std::vector<TaskReport> tasks_of(std::string_view text) {
  return parsed(text, [](const json& list) {
    std::vector<TaskReport> tasks;
    for (const json& item : list) {
      TaskReport& task = tasks.emplace_back();
      get_exactly(item.at(0), task.shard);
      get_exactly(item.at(1), task.node);
      task.transfer = number_of(item.at(2));
      task.compute = number_of(item.at(3));
      task.wait = number_of(item.at(4));
      get_exactly(item.at(5), task.epochs);
      task.loss = number_of(item.at(6));
      get_exactly(item.at(7), task.offers);
    }
    return tasks;
  });
}

std::string text_of(const JobEvent& event) {
  json object = {{"sequence", event.sequence},
                 {"time_ms", event.time_ms},
                 {"warning", event.warning},
                 {"event", event.event},
                 {"node", event.node},
                 {"reason", event.reason},
                 {"message", event.message}};
  put_if(object, "round", event.round);
  put_if(object, "shard", event.shard);
  put_if(object, "attempt", event.attempt);
  return dump(object);
}

JobEvent event_of(std::string_view text) {
  return parsed(text, [](const json& object) {
    JobEvent event;
    get(object, "sequence", event.sequence);
    get(object, "time_ms", event.time_ms);
    get(object, "warning", event.warning);
    get(object, "event", event.event);
    get(object, "node", event.node);
    get(object, "reason", event.reason);
    get(object, "message", event.message);
    get_if(object, "round", event.round);
    get_if(object, "shard", event.shard);
    get_if(object, "attempt", event.attempt);
    return event;
  });
}

}  // namespace gradmill::coordinator
