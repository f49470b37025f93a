// NodeService over the worker.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <thrift/TProcessor.h>

#include "compute_node/worker/worker.h"
#include "faults/fault_injector.h"
#include "rpc/tls.h"

namespace gradmill::node {

/// What handlers work on.
struct NodeParts {
  Worker& worker;
  faults::FaultInjector* faults;  ///< Null: the node injects no faults.
};

/// Makes a handler for each connection, over what `parts` returns then; that must outlive all of
/// them. With `coordinators`, for a server with TLS, it serves nobody else.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_node_handlers(
    std::function<NodeParts()> parts,
    std::shared_ptr<const rpc::AllowedNames> coordinators = nullptr);

/// Whether a call of NodeService moves tasks or predictions on, so that faults may strike it.
/// Heartbeats never do, nor do calls that must be relied on: hello, cancelTask and those about the
/// faults themselves.
[[nodiscard]] bool is_task_call(std::string_view method);

}  // namespace gradmill::node
