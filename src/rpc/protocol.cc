#include "rpc/protocol.h"

#include "rpc/limits.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::protocol::TMessageType;
using apache::thrift::protocol::TProtocolException;
using apache::thrift::protocol::TType;

// Whether a value of this type may stand in a field or a container.
bool is_type(std::int8_t type) {
  switch (type) {
    case apache::thrift::protocol::T_BOOL:
    case apache::thrift::protocol::T_BYTE:
    case apache::thrift::protocol::T_DOUBLE:
    case apache::thrift::protocol::T_I16:
    case apache::thrift::protocol::T_I32:
    case apache::thrift::protocol::T_I64:
    case apache::thrift::protocol::T_STRING:
    case apache::thrift::protocol::T_STRUCT:
    case apache::thrift::protocol::T_MAP:
    case apache::thrift::protocol::T_SET:
    case apache::thrift::protocol::T_LIST:
      return true;
    default:
      return false;
  }
}

TType to_type(std::int8_t type) {
  if (!is_type(type)) {
    throw TProtocolException(TProtocolException::INVALID_DATA, "no such type");
  }
  return static_cast<TType>(type);
}

}  // namespace

std::shared_ptr<apache::thrift::TConfiguration> make_configuration() {
  return std::make_shared<apache::thrift::TConfiguration>(
      kFrameBytesMax, kFrameBytesMax, kRecursionMax);
}

Protocol::Protocol(const std::shared_ptr<apache::thrift::transport::TTransport>& transport)
    : TVirtualProtocol(transport) {
  setStrict(/*strict_read=*/true, /*strict_write=*/true);
  setStringSizeLimit(kStringBytesMax);
  setContainerSizeLimit(kContainerElementsMax);
}

std::uint32_t Protocol::readMessageBegin(std::string& name,
                                         TMessageType& type,
                                         std::int32_t& sequence) {
  std::int32_t first = 0;
  std::uint32_t bytes = readI32(first);
  const auto word = static_cast<std::uint32_t>(first);
  const std::uint32_t kind = word & 0xff;
  if ((word & 0xffff'ff00) != 0x8001'0000 || kind < apache::thrift::protocol::T_CALL ||
      kind > apache::thrift::protocol::T_ONEWAY) {
    throw TProtocolException(TProtocolException::BAD_VERSION, "no message of strict binary");
  }
  type = static_cast<TMessageType>(kind);
  bytes += readString(name);
  bytes += readI32(sequence);
  // Generated clients number all their calls so, and leave the check of answers to others.
  constexpr std::int32_t kSequence = 0;
  const bool is_answer =
      type == apache::thrift::protocol::T_REPLY || type == apache::thrift::protocol::T_EXCEPTION;
  if (is_answer && sequence != kSequence) {
    throw TProtocolException(TProtocolException::INVALID_DATA, "an answer to another call");
  }
  return bytes;
}

std::uint32_t Protocol::readFieldBegin(std::string& /*name*/, TType& type, std::int16_t& id) {
  std::int8_t byte = 0;
  const std::uint32_t bytes = readByte(byte);
  if (byte == apache::thrift::protocol::T_STOP) {
    type = apache::thrift::protocol::T_STOP;
    id = 0;
    return bytes;
  }
  type = to_type(byte);
  return bytes + readI16(id);
}

std::uint32_t Protocol::readMapBegin(TType& key, TType& value, std::uint32_t& size) {
  const std::uint32_t bytes = read_type(key) + read_type(value);
  return bytes + read_size(size, kContainerElementsMax);
}

std::uint32_t Protocol::readListBegin(TType& element, std::uint32_t& size) {
  const std::uint32_t bytes = read_type(element);
  return bytes + read_size(size, kContainerElementsMax);
}

std::uint32_t Protocol::readSetBegin(TType& element, std::uint32_t& size) {
  return readListBegin(element, size);
}

std::uint32_t Protocol::readString(std::string& text) {
  std::uint32_t size = 0;
  const std::uint32_t bytes = read_size(size, kStringBytesMax);
  return bytes + readStringBody(text, static_cast<std::int32_t>(size));
}

std::uint32_t Protocol::read_type(TType& type) {
  std::int8_t byte = 0;
  const std::uint32_t bytes = readByte(byte);
  type = to_type(byte);
  return bytes;
}

std::uint32_t Protocol::read_size(std::uint32_t& size, std::int32_t size_max) {
  std::int32_t read = 0;
  const std::uint32_t bytes = readI32(read);
  if (read < 0) {
    throw TProtocolException(TProtocolException::NEGATIVE_SIZE);
  }
  if (read > size_max) {
    throw TProtocolException(TProtocolException::SIZE_LIMIT);
  }
  trans_->checkReadBytesAvailable(read);
  size = static_cast<std::uint32_t>(read);
  return bytes;
}

}  // namespace gradmill::rpc
