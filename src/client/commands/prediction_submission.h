// Everything of a prediction job that goes to the coordinator.
#pragma once

#include "client/commands/submission.h"
#include "client/request/request.h"
#include "protocol/prediction.h"

namespace gradmill::client {

/// Reads the rows and cuts them into shards. Throws Error(kInvalidInput) for whatever the
/// coordinator would refuse, naming the file and its line, or --batch-size.
[[nodiscard]] Submission prepare(const PredictFileRequest& request, const ServedModel& model);

}  // namespace gradmill::client
