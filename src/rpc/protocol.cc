#include "rpc/protocol.h"

#include <thrift/protocol/TBinaryProtocol.h>

#include "rpc/limits.h"

namespace gradmill::rpc {

std::shared_ptr<apache::thrift::TConfiguration> make_configuration() {
  return std::make_shared<apache::thrift::TConfiguration>(
      kFrameBytesMax, kFrameBytesMax, kRecursionMax);
}

std::shared_ptr<apache::thrift::protocol::TProtocolFactory> make_protocol_factory() {
  return std::make_shared<apache::thrift::protocol::TBinaryProtocolFactory>(
      kStringBytesMax, kContainerElementsMax, /*strict_read=*/true, /*strict_write=*/true);
}

}  // namespace gradmill::rpc
