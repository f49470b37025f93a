// NodeLink over Thrift.
#pragma once

#include "coordinator/ports/node_link.h"

namespace gradmill::coordinator {

/// Makes links that speak in the name of this start of this coordinator. Thread-safe.
[[nodiscard]] NodeLinkFactory make_thrift_node_links(const Fence& fence);

}  // namespace gradmill::coordinator
