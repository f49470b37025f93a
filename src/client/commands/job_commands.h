// Commands that look at jobs and what they left.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Each as run() in commands.h. Throws Error(kNotFound) for a job that there is not, and
/// Error(kInvalidInput) if the output of a job is wanted that has not ended.
[[nodiscard]] int run(const ListJobsRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ShowJobRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const JobOutputRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const DeleteJobRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
