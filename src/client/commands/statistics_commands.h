// job stats and model stats.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

int run(const JobStatsRequest& request, CoordinatorLink& link, Console console);
int run(const ModelStatsRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
