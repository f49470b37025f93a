// How prediction jobs stand, as users see it.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill::client {

/// The share of the rows done whose label was right; nothing without labels, or without rows.
[[nodiscard]] std::optional<double> accuracy_of(const PredictionStatus& job);

/// NAME@VERSION; empty if it is not known.
[[nodiscard]] std::string model_text(const PredictionStatus& job);

/// "training" or "prediction".
[[nodiscard]] const char* kind_text(const std::optional<PredictionStatus>& prediction);

/// Adds rows, rows_done, wrong, accuracy, batch_size, model and version to a job's object.
void add_prediction(nlohmann::ordered_json& to, const PredictionStatus& job);

/// What is asked of a prediction job.
[[nodiscard]] nlohmann::ordered_json plan_in_json(const JobSpecification& job);

/// One line about a job that has succeeded: rows, seconds, accuracy.
[[nodiscard]] std::string prediction_summary(const JobStatus& job);

}  // namespace gradmill::client
