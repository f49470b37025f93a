// CoordinatorService over the coordinator.
#pragma once

#include <memory>

#include <thrift/TProcessor.h>

#include "coordinator/service/coordinator.h"

namespace gradmill::coordinator {

/// Makes a handler for each connection. `coordinator` must outlive all of them.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_coordinator_handlers(
    Coordinator& coordinator);

}  // namespace gradmill::coordinator
