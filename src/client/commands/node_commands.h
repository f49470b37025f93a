// Commands about nodes.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Each as run() in commands.h. Throws Error(kNotFound) for a node that the coordinator does not
/// have.
[[nodiscard]] int run(const ListNodesRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const NodeStatsRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const JoinNodeRequest& request, CoordinatorLink& link, Console console);
/// Returns once the node has no tasks, however long that takes, or the user interrupts.
[[nodiscard]] int run(const LeaveNodeRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
