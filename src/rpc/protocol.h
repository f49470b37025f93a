// The one protocol we speak: strict Thrift binary with limits.
#pragma once

#include <memory>

#include <thrift/TConfiguration.h>
#include <thrift/protocol/TProtocol.h>

namespace gradmill::rpc {

/// Limits of messages, frames and nesting for transports and protocols.
[[nodiscard]] std::shared_ptr<apache::thrift::TConfiguration> make_configuration();

/// Makes strict TBinaryProtocols with string and container limits; both ends use it, for a peer's
/// answer can be as hostile as its question. Thread-safe.
[[nodiscard]] std::shared_ptr<apache::thrift::protocol::TProtocolFactory> make_protocol_factory();

}  // namespace gradmill::rpc
