#include "client/report/job_tables.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/prediction_report.h"
#include "client/report/table.h"
#include "client/report/text.h"
#include "protocol/model_metadata.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;
using Properties = std::vector<std::pair<std::string, std::string>>;

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

std::string done_of(std::uint64_t done, std::uint64_t all) {
  return std::to_string(done) + '/' + std::to_string(all);
}

/// Empty if there is none.
std::string accuracy_text(const PredictionStatus& job) {
  const std::optional<double> accuracy = accuracy_of(job);
  return accuracy ? printed("%.6f", *accuracy) : "";
}

/// The error of a list's row; empty if there is none yet.
std::string error_text(const JobSummary& job) {
  std::optional<double> error = job.validation_error;
  if (job.prediction) {
    const std::optional<double> accuracy = accuracy_of(*job.prediction);
    error = accuracy ? std::optional(1 - *accuracy) : std::nullopt;
  }
  return error ? printed("%.6f", *error) : "";
}

/// Empty for a time that is not yet.
std::string time_or_empty(std::int64_t ms) { return ms == 0 ? "" : local_time_text(ms); }

ordered_json time_in_json(std::int64_t ms) {
  return ms == 0 ? ordered_json() : ordered_json(utc_time_text(ms));
}

/// From submission to end, in seconds; nothing before the end.
std::optional<double> seconds_of(const JobSummary& job) {
  return job.ended_ms == 0
             ? std::nullopt
             : std::optional(static_cast<double>(job.ended_ms - job.submitted_ms) / 1000);
}

std::string time_taken_text(const JobSummary& job) {
  const std::optional<double> seconds = seconds_of(job);
  return !seconds ? "" : *seconds < 60 ? printed("%.1f s", *seconds) : time_text(*seconds);
}

ordered_json in_json(const JobSummary& job) {
  ordered_json json;
  json["job_id"] = job.job;
  json["kind"] = kind_text(job.prediction);
  json["state"] = name_of(job.state);
  json["priority"] = job.share.priority;
  json["weight"] = job.share.weight;
  json["scheduling"] = name_of(job.scheduling);
  if (job.prediction) {
    add_prediction(json, *job.prediction);
  } else {
    json["round"] = job.round;
    json["rounds"] = job.rounds;
    json["shards"] = job.shards;
    json["validation_error"] =
        job.validation_error ? ordered_json(*job.validation_error) : ordered_json();
    json["exact"] = job.exact;
    json["registered"] = text_or_null(job.registered);
  }
  const std::optional<double> seconds = seconds_of(job);
  json["tasks"] = job.tasks;
  json["submitted"] = time_in_json(job.submitted_ms);
  json["ended"] = time_in_json(job.ended_ms);
  json["seconds"] = seconds ? ordered_json(*seconds) : ordered_json();
  json["reason"] = job.reason;
  json["message"] = job.message;
  return json;
}

/// What is asked of a prediction job.
Properties properties_of(const PredictionPlan& plan, std::size_t shards) {
  return {{"model file", plan.model.file.digest.hex()},
          {"features", std::to_string(plan.model.features)},
          {"classes", std::to_string(plan.model.labels.size())},
          {"labelled", yes_or_no(plan.labelled)},
          {"shards of rows", std::to_string(shards)}};
}

/// What is asked of the job.
Properties properties_of(const JobSpecification& job) {
  if (job.prediction) {
    return properties_of(*job.prediction, job.shards.size());
  }
  Properties all = {
      {"topology", topology_text(job.rule.topology)},
      {"activation", std::string(name_of(job.rule.activation))},
      {"precision", std::string(name_of(job.rule.precision))},
      {"seed", std::to_string(job.rule.seed)},
      {"standardized", yes_or_no(!job.rule.standardization.empty())},
      {"training shards", std::to_string(job.shards.size())},
      {"validation shards", std::to_string(job.validation.size())},
      {"initial weights", job.initial_weights ? job.initial_weights->digest.hex() : "of the seed"},
      {"validate-every", std::to_string(job.validate_every)}};
  for (auto& property : hyperparameters(job)) {
    all.push_back(std::move(property));
  }
  return all;
}

/// How the job stands.
Properties properties_of(const JobStatus& job) {
  Properties all = {{"job", job.job},
                    {"kind", kind_text(job.prediction)},
                    {"state", std::string(name_of(job.state))}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      all.emplace_back(name, value);
    }
  };
  if (job.state == JobState::kPending) {
    add("ahead", std::to_string(job.ahead));
  }
  add("asked", job.asked);
  add("reason", job.reason);
  add("message", job.message);
  add("notice", job.notice);
  add("submitted", time_or_empty(job.submitted_ms));
  add("ended", time_or_empty(job.ended_ms));
  if (job.prediction) {
    const PredictionStatus& rows = *job.prediction;
    add("rows", done_of(rows.rows_done, rows.rows));
    add("accuracy", accuracy_text(rows));
    add("batch size", std::to_string(rows.batch_rows));
    add("model", model_text(rows));
  } else {
    add("round", done_of(job.round, job.rounds));
    if (!has_ended(job.state)) {
      add("shards", done_of(job.shards_done, job.shards));
    }
    add("best round", job.best_round > 0 ? std::to_string(job.best_round) : "");
    add("exact", yes_or_no(job.exact));
    if (job.parameters.bytes > 0) {
      add("weights", job.parameters.digest.hex());
    }
    add("registered as", job.registered);
  }
  for (const NodeReport& node : job.nodes) {
    add("node",
        node.node + ": " + std::to_string(node.tasks) + " tasks, " + std::to_string(node.refused) +
            " refused, " + std::to_string(node.failed) + " failed");
  }
  return all;
}

/// How far a training job is.
void add_training(ordered_json& to, const JobStatus& job) {
  to["round"] = job.round;
  to["rounds"] = job.rounds;
  to["shards"] = job.shards;
  to["shards_done"] = job.shards_done;
  to["best_round"] = job.best_round > 0 ? ordered_json(job.best_round) : ordered_json();
  to["exact"] = job.exact;
  to["parameters_sha256"] =
      job.parameters.bytes > 0 ? ordered_json(job.parameters.digest.hex()) : ordered_json();
  to["registered"] = text_or_null(job.registered);
}

ordered_json in_json(const JobStatus& job) {
  ordered_json json;
  json["job_id"] = job.job;
  json["kind"] = kind_text(job.prediction);
  json["state"] = name_of(job.state);
  json["asked"] = job.asked;
  json["reason"] = job.reason;
  json["message"] = job.message;
  json["notice"] = job.notice;
  json["ahead"] = job.ahead;
  if (job.prediction) {
    add_prediction(json, *job.prediction);
  } else {
    add_training(json, job);
  }
  json["submitted"] = time_in_json(job.submitted_ms);
  json["ended"] = time_in_json(job.ended_ms);
  json["nodes"] = ordered_json::array();
  for (const NodeReport& node : job.nodes) {
    json["nodes"].push_back({{"node", node.node},
                             {"tasks", node.tasks},
                             {"refused", node.refused},
                             {"failed", node.failed}});
  }
  return json;
}

ordered_json in_json(const JobSpecification& job) {
  if (job.prediction) {
    return plan_in_json(job);
  }
  const auto digests = [](const std::vector<BlobRef>& blobs) {
    auto list = ordered_json::array();
    for (const BlobRef& blob : blobs) {
      list.push_back(blob.digest.hex());
    }
    return list;
  };
  ordered_json json;
  json["topology"] = job.rule.topology.units;
  json["activation"] = name_of(job.rule.activation);
  json["precision"] = name_of(job.rule.precision);
  json["seed"] = job.rule.seed;
  json["standardized"] = !job.rule.standardization.empty();
  json["validate_every"] = job.validate_every;
  for (auto [name, value] : hyperparameters(job)) {
    std::replace(name.begin(), name.end(), '-', '_');
    // Numbers and names alike: what is no JSON of its own is a text.
    const ordered_json number = ordered_json::parse(value, nullptr, false);
    json[name] = number.is_number() ? number : ordered_json(value);
  }
  json["training_sha256"] = digests(job.shards);
  json["validation_sha256"] = digests(job.validation);
  json["initial_weights_sha256"] =
      job.initial_weights ? ordered_json(job.initial_weights->digest.hex()) : ordered_json();
  return json;
}

/// What holds jobs up: each line once.
std::set<std::string> notices_of(const std::vector<JobSummary>& jobs) {
  std::set<std::string> notices;
  for (const JobSummary& job : jobs) {
    if (!has_ended(job.state) && !job.message.empty()) {
      notices.insert(job.message);
    }
  }
  return notices;
}

}  // namespace

void write_jobs(std::ostream& to, const std::vector<JobSummary>& jobs, Format format) {
  if (format == Format::kJson) {
    auto list = ordered_json::array();
    for (const JobSummary& job : jobs) {
      list.push_back(in_json(job));
    }
    write_json(to, list);
    return;
  }
  Table table = {{"JOB"},
                 {"KIND"},
                 {"STATE"},
                 {"PRIORITY", Table::Align::kRight},
                 {"WEIGHT", Table::Align::kRight},
                 {"DONE", Table::Align::kRight},
                 {"SHARDS", Table::Align::kRight},
                 {"TASKS", Table::Align::kRight},
                 {"ERROR", Table::Align::kRight},
                 {"EXACT"},
                 {"MODEL"},
                 {"SUBMITTED"},
                 {"ENDED"},
                 {"TIME", Table::Align::kRight},
                 {"REASON"}};
  for (const JobSummary& job : jobs) {
    const bool predicts = job.prediction.has_value();
    table.add({job.job,
               kind_text(job.prediction),
               std::string(name_of(job.state)),
               std::to_string(job.share.priority),
               std::to_string(job.share.weight),
               predicts ? done_of(job.prediction->rows_done, job.prediction->rows)
                        : done_of(job.round, job.rounds),
               predicts ? "" : std::to_string(job.shards),
               std::to_string(job.tasks),
               error_text(job),
               yes_or_no(job.exact),
               predicts ? model_text(*job.prediction) : job.registered,
               time_or_empty(job.submitted_ms),
               time_or_empty(job.ended_ms),
               time_taken_text(job),
               job.reason});
  }
  table.write(to);
  if (!jobs.empty() && jobs.front().scheduling == SchedulingMode::kLocal) {
    to << "scheduling: local\n" << std::flush;
  }
  for (const std::string& notice : notices_of(jobs)) {
    to << shown(notice) << '\n' << std::flush;
  }
}

void write_details(std::ostream& to, const JobDetails& job, Format format) {
  if (format == Format::kJson) {
    ordered_json json = in_json(job.status);
    if (!job.specification.prediction) {
      json["model"] = job.terms.model;
    }
    json["priority"] = job.terms.share.priority;
    json["weight"] = job.terms.share.weight;
    json["specification"] = in_json(job.specification);
    write_json(to, json);
    return;
  }
  Properties all = properties_of(job.status);
  if (!job.terms.model.empty()) {
    all.emplace_back("model", job.terms.model);
  }
  all.emplace_back("priority", std::to_string(job.terms.share.priority));
  all.emplace_back("weight", std::to_string(job.terms.share.weight));
  for (auto& property : properties_of(job.specification)) {
    all.push_back(std::move(property));
  }
  std::size_t width = 0;
  for (const auto& property : all) {
    width = std::max(width, property.first.size());
  }
  std::string text;
  for (const auto& [name, value] : all) {
    text += name + ':' + std::string(width - name.size() + 2, ' ') + shown(value) + '\n';
  }
  to << text << std::flush;
}

}  // namespace gradmill::client
