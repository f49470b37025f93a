// NodeLink over Thrift.
#pragma once

#include <chrono>

#include "coordinator/ports/node_link.h"
#include "rpc/tls.h"

namespace gradmill::coordinator {

inline constexpr std::chrono::milliseconds kHeartbeatDeadlineMax{2000};

/// Makers of links that share a budget for large messages.
struct NodeLinkFactories {
  NodeLinkFactory for_tasks;
  NodeLinkFactory for_predictions;  ///< For answers that come within microseconds.
};

/// Links speak in the name of this start of this coordinator. An answer to a heartbeat, or a new
/// connection before it, that takes longer than `heartbeat_deadline` is a missed one.
[[nodiscard]] NodeLinkFactories make_thrift_node_links(
    const Fence& fence,
    std::chrono::milliseconds heartbeat_deadline = kHeartbeatDeadlineMax,
    const rpc::ClientTls& tls = {});

}  // namespace gradmill::coordinator
