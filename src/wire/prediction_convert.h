// Predictions between the generated Thrift types and our own.
#pragma once

#include <cstdint>
#include <span>

#include <wire/coordinator_types.h>
#include <wire/node_types.h>

#include "protocol/job_specification.h"
#include "protocol/job_status.h"
#include "protocol/prediction.h"

namespace gradmill::wire {

/// Writes rows of one kind, part after part, to `to`, whose memory is used again.
void fill_rows(Rows& to, std::span<const RawRows> parts);
/// The rows in `rows`, which must stay; sizes and values are as check_rows() wants them. As all
/// from_ functions it throws Error(kInvalidInput) that names the field.
[[nodiscard]] RawRows rows_from(const Rows& rows);

/// Of a node that has the model.
[[nodiscard]] PredictRowsResponse to_wire(RowPredictions&& predictions);
[[nodiscard]] RowPredictions predictions_from(PredictRowsResponse&& response);

[[nodiscard]] PredictResponse to_wire(ModelPredictions&& predictions);
[[nodiscard]] ModelPredictions predictions_from(PredictResponse&& response);

[[nodiscard]] ServedModelResponse to_wire(const ServedModel& model);
[[nodiscard]] ServedModel served_model_from(ServedModelResponse&& response);

[[nodiscard]] PredictionPlan to_wire(const gradmill::PredictionPlan& plan);
/// As check_prediction_plan() wants it.
[[nodiscard]] gradmill::PredictionPlan plan_from(const PredictionPlan& plan);

[[nodiscard]] PredictionStatus to_wire(const gradmill::PredictionStatus& status);
[[nodiscard]] gradmill::PredictionStatus prediction_status_from(const PredictionStatus& status);

/// How many predictions a request wants, at most kPredictionRowsMax.
[[nodiscard]] std::uint32_t rows_max_from(std::int32_t rows_max);
[[nodiscard]] JobPredictionsResponse to_wire(JobPredictions&& predictions);
/// The answer to `request`: as many classes and finite probabilities as rows.
[[nodiscard]] JobPredictions job_predictions_from(JobPredictionsResponse&& response,
                                                  const JobPredictionsRequest& request);

}  // namespace gradmill::wire
