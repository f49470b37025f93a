// Cancelling, pausing and resuming jobs.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// As run() in commands.h. Cancelling and pausing take until every node has acknowledged them, or
/// half a minute: then it throws Error(kFailed) that names what is outstanding. Throws
/// Error(kInvalidInput) if the job had already ended otherwise.
[[nodiscard]] int run(const ControlJobRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
