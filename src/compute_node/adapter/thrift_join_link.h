// JoinLink over Thrift.
#pragma once

#include "compute_node/membership/join_link.h"
#include "rpc/tls.h"

namespace gradmill::node {

[[nodiscard]] JoinLinkFactory make_thrift_join_links(const rpc::ClientTls& tls = {});

}  // namespace gradmill::node
