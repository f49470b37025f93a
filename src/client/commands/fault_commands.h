// Commands about faults that processes inject on purpose.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Each as run() in commands.h. One process that does not do as it is told is an Error, kNotAllowed
/// if it was not started for it; of all nodes, the table names those and the exit code is that of
/// the first.
[[nodiscard]] int run(const SetFaultsRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ClearFaultsRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ListFaultsRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
