// What happened to a job.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Shows the events so far, or all until the job has ended. As run() in commands.h. Events are a
/// line each as text; in JSON one array, or an object a line while following.
[[nodiscard]] int run(const JobLogsRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
