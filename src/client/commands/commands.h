// What the client does.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Does what was asked for. Returns the exit code; throws Error for what cannot be done. As every
/// run() of a request.
[[nodiscard]] int run(const Request& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
