// What a job's specification must keep, for everyone who makes or takes one.
#pragma once

#include <string>

#include "protocol/job_specification.h"

namespace gradmill {

/// Checks caps, ranges and which fields go together. Throws Error(kInvalidInput) with one line that
/// names the field.
void check_rule(const ml::TrainingRule& rule);
void check_server_rule(const ml::ServerRule& rule);

/// As above, but the size of the batches in bytes, which the rows decide.
void check_prediction_plan(const PredictionPlan& plan);

/// The largest number of rows that a batch may have.
[[nodiscard]] std::uint32_t batch_rows_max(ElementType elements, std::uint32_t features);

/// As above, the whole specification: everything that does not need the blobs.
void check_specification(const JobSpecification& specification);

/// Checks what a user calls a job; `latest` and `all` name jobs already. Throws
/// Error(kInvalidInput).
void check_job_id(const std::string& id);

}  // namespace gradmill
