// Predictions between the generated Thrift types and our own.
#pragma once

#include <span>

#include <wire/coordinator_types.h>
#include <wire/node_types.h>

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
/// Without its file, which is no matter of clients.
[[nodiscard]] ServedModel served_model_from(ServedModelResponse&& response);

}  // namespace gradmill::wire
