// How jobs share the nodes.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Shows or sets the mode. As run() in commands.h.
[[nodiscard]] int run(const SchedulingRequest& request, CoordinatorLink& link, Console console);

/// Which node has what of a job, and why the others do not.
[[nodiscard]] int show_explanation(const ShowJobRequest& request,
                                   CoordinatorLink& link,
                                   const Console& console);

}  // namespace gradmill::client
