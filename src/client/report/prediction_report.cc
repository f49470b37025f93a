#include "client/report/prediction_report.h"

#include <nlohmann/json.hpp>

#include "client/report/text.h"
#include "protocol/model_name.h"

namespace gradmill::client {

using nlohmann::ordered_json;

std::optional<double> accuracy_of(const PredictionStatus& job) {
  if (!job.labelled || job.rows_done == 0) {
    return std::nullopt;
  }
  return static_cast<double>(job.rows_done - job.wrong) / static_cast<double>(job.rows_done);
}

std::string model_text(const PredictionStatus& job) {
  return job.model.empty() ? "" : version_reference(job.model, job.version);
}

const char* kind_text(const std::optional<PredictionStatus>& prediction) {
  return prediction ? "prediction" : "training";
}

void add_prediction(ordered_json& to, const PredictionStatus& job) {
  const std::optional<double> accuracy = accuracy_of(job);
  to["rows"] = job.rows;
  to["rows_done"] = job.rows_done;
  to["wrong"] = job.labelled ? ordered_json(job.wrong) : ordered_json();
  to["accuracy"] = accuracy ? ordered_json(*accuracy) : ordered_json();
  to["batch_size"] = job.batch_rows;
  to["model"] = job.model;
  to["version"] = job.version;
}

ordered_json plan_in_json(const JobSpecification& job) {
  const PredictionPlan& plan = *job.prediction;
  ordered_json json;
  json["model"] = plan.model.model;
  json["version"] = plan.model.version;
  json["model_sha256"] = plan.model.file.digest.hex();
  json["features"] = plan.model.features;
  json["labels"] = plan.model.labels;
  json["labelled"] = plan.labelled;
  json["batch_size"] = plan.batch_rows;
  json["rows_sha256"] = ordered_json::array();
  for (const BlobRef& shard : job.shards) {
    json["rows_sha256"].push_back(shard.digest.hex());
  }
  return json;
}

std::string prediction_summary(const JobStatus& job) {
  const PredictionStatus& rows = *job.prediction;
  std::string text = std::to_string(rows.rows_done) + " rows predicted in " +
                     printed("%.2f s", static_cast<double>(job.ended_ms - job.submitted_ms) / 1000);
  if (const std::optional<double> accuracy = accuracy_of(rows)) {
    text += printed(", accuracy %.6f", *accuracy);
  }
  return text;
}

}  // namespace gradmill::client
