// The one protocol we speak: strict Thrift binary with limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <thrift/TConfiguration.h>
#include <thrift/protocol/TBinaryProtocol.h>

namespace gradmill::rpc {

/// Limits of messages, frames and nesting for transports and protocols.
[[nodiscard]] std::shared_ptr<apache::thrift::TConfiguration> make_configuration();

/// TBinaryProtocol, strict and limited, that refuses what Thrift's own lets through: types that do
/// not exist (which are undefined behaviour once they are enumerators), and strings and containers
/// that claim more than their frame can hold (which are allocated first and missed
/// later), and answers to other calls than the one in progress. Both ends use it, for an answer can
/// be as hostile as a question. Throws TProtocolException, or TTransportException(END_OF_FILE) for
/// what exceeds the frame. For one thread.
class Protocol final
    : public apache::thrift::protocol::TVirtualProtocol<Protocol,
                                                        apache::thrift::protocol::TBinaryProtocol> {
 public:
  explicit Protocol(const std::shared_ptr<apache::thrift::transport::TTransport>& transport);

  // These hide, not override: Thrift finds them by the type of this class.
  std::uint32_t readMessageBegin(std::string& name,
                                 apache::thrift::protocol::TMessageType& type,
                                 std::int32_t& sequence);
  std::uint32_t readFieldBegin(std::string& name,
                               apache::thrift::protocol::TType& type,
                               std::int16_t& id);
  std::uint32_t readMapBegin(apache::thrift::protocol::TType& key,
                             apache::thrift::protocol::TType& value,
                             std::uint32_t& size);
  std::uint32_t readListBegin(apache::thrift::protocol::TType& element, std::uint32_t& size);
  std::uint32_t readSetBegin(apache::thrift::protocol::TType& element, std::uint32_t& size);
  std::uint32_t readString(std::string& text);
  std::uint32_t readBinary(std::string& bytes) { return readString(bytes); }

 private:
  std::uint32_t read_type(apache::thrift::protocol::TType& type);
  // A number of elements or bytes, each of which takes one byte of the frame at least.
  std::uint32_t read_size(std::uint32_t& size, std::int32_t size_max);
};

}  // namespace gradmill::rpc
