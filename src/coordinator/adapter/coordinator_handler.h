// CoordinatorService over the coordinator.
#pragma once

#include <functional>
#include <memory>

#include <thrift/TProcessor.h>

#include "coordinator/service/coordinator.h"

namespace gradmill::coordinator {

/// Makes a handler for each connection, over the coordinator that `coordinator` returns then; it
/// must outlive all of them.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_coordinator_handlers(
    std::function<Coordinator&()> coordinator);

}  // namespace gradmill::coordinator
