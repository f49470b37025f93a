// NodeService over the worker.
#pragma once

#include <functional>
#include <memory>

#include <thrift/TProcessor.h>

#include "compute_node/worker/worker.h"

namespace gradmill::node {

/// Makes a handler for each connection, over the worker that `worker` returns then; it must outlive
/// all of them.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_node_handlers(
    std::function<Worker&()> worker);

}  // namespace gradmill::node
