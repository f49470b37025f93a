// CoordinatorLink over Thrift.
#pragma once

#include <memory>
#include <optional>

#include "base/address.h"
#include "base/tls_files.h"
#include "client/link/coordinator_link.h"

namespace gradmill::client {

/// A link under TLS if there are files for it. Throws Error(kInvalidInput) if these are no good.
[[nodiscard]] std::unique_ptr<CoordinatorLink> make_thrift_coordinator_link(
    const Address& address, const std::optional<TlsFiles>& tls);

}  // namespace gradmill::client
