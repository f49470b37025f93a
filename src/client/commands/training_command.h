// Training: the command that submits jobs.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Reads the data, submits the job, follows it and writes what was asked for. Returns the exit
/// code; throws Error for what keeps the job from being submitted or followed.
[[nodiscard]] int run(const TrainRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
