// client predict.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// As run() in commands.h.
[[nodiscard]] int run(const PredictRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
