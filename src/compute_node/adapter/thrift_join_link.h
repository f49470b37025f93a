// JoinLink over Thrift.
#pragma once

#include "compute_node/membership/join_link.h"

namespace gradmill::node {

[[nodiscard]] std::unique_ptr<JoinLink> make_thrift_join_link(const Address& coordinator);

}  // namespace gradmill::node
