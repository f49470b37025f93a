// Commands about models.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Each as run() in commands.h. Throws Error(kNotFound) for a model, version or alias that there is
/// not.
[[nodiscard]] int run(const ListModelsRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ShowModelRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ExportModelRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const ImportModelRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const PromoteModelRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const RollBackModelRequest& request, CoordinatorLink& link, Console console);
[[nodiscard]] int run(const DeleteModelRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
