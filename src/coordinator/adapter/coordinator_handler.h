// CoordinatorService over the coordinator.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <thrift/TProcessor.h>

#include "coordinator/adapter/access_list.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/fault_relay.h"
#include "coordinator/service/prediction/predictor.h"

namespace gradmill::coordinator {

/// What handlers work on.
struct CoordinatorParts {
  Coordinator& coordinator;
  const FaultRelay& faults;
  Predictor& predictor;
};

/// Makes a handler for each connection, over what `parts` returns then; that must outlive all of
/// them. With `access`, for a server with TLS, peers may do what it says, else everything.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_coordinator_handlers(
    std::function<CoordinatorParts()> parts, std::shared_ptr<const AccessList> access = nullptr);

/// Whether a call of CoordinatorService is one of a client at work, so that faults may strike it:
/// not hello, not a node's join, not those about the faults themselves.
[[nodiscard]] bool is_client_call(std::string_view method);

}  // namespace gradmill::coordinator
