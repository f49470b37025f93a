// Prediction jobs: the commands that submit and change them.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Each as run() in commands.h.
[[nodiscard]] int run(const PredictFileRequest& request, CoordinatorLink& link, Console console);
/// Throws Error(kInvalidInput) for a training job, or one that has ended.
[[nodiscard]] int run(const SetJobRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
