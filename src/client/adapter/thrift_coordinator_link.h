// CoordinatorLink over Thrift.
#pragma once

#include <memory>

#include "base/address.h"
#include "client/link/coordinator_link.h"

namespace gradmill::client {

[[nodiscard]] std::unique_ptr<CoordinatorLink> make_thrift_coordinator_link(const Address& address);

}  // namespace gradmill::client
