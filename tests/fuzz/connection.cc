#include "fuzz/connection.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include <sys/socket.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <wire/NodeService.h>
#include <wire/common_constants.h>

#include "fuzz/target.h"
#include "rpc/descriptor.h"
#include "rpc/framed_transport.h"
#include "rpc/guard.h"
#include "rpc/protocol.h"
#include "rpc/socket.h"

namespace gradmill::fuzz {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::protocol::TMessageType;
using apache::thrift::protocol::TType;
using apache::thrift::transport::TMemoryBuffer;

// The two ends of a connection.
struct Pipe {
  Pipe() {
    std::array<int, 2> fds{};
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    GRADMILL_CHECK(::socketpair(AF_UNIX, type, 0, fds.data()) == 0);
    client = rpc::Descriptor(fds[0]);
    server = rpc::Descriptor(fds[1]);
  }
  rpc::Descriptor client;
  rpc::Descriptor server;
};

void append_frame(std::string& stream, std::string_view message) {
  for (const int shift : {24, 16, 8, 0}) {
    stream += static_cast<char>(message.size() >> static_cast<unsigned>(shift) & 0xffU);
  }
  stream += message;
}

/// Both services have the same first call.
std::string hello() {
  const auto buffer = std::make_shared<TMemoryBuffer>();
  wire::NodeServiceClient client(std::make_shared<TBinaryProtocol>(buffer));
  wire::HelloRequest request;
  request.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
  client.send_hello(request);
  return buffer->getBufferAsString();
}

/// Sets the field `id`, an i32, to 0 or 1 wherever it seems to be.
void cut_field(std::string& stream, char id) {
  const std::string field = {'\x08', '\0', id};
  for (std::size_t at = stream.find(field); at != std::string::npos; at = stream.find(field, at)) {
    at += field.size();
    if (stream.size() - at >= 4) {
      stream.replace(at, 3, 3, '\0');
      stream[at + 3] = static_cast<char>(stream[at + 3] & 1);
    }
  }
}

/// Calls may ask to wait for a second, in which a thousand others can be tried.
void cut_waits(std::string& stream) {
  struct Wait {
    std::string_view method;
    char field;
  };
  static constexpr std::array<Wait, 7> kWaits = {{{"followJob", 3},
                                                  {"followJob", 6},
                                                  {"controlJob", 3},
                                                  {"jobLogs", 3},
                                                  {"removeNode", 3},
                                                  {"runTask", 9},
                                                  {"pollTask", 3}}};
  for (const Wait& wait : kWaits) {
    if (stream.find(wait.method) != std::string::npos) {
      cut_field(stream, wait.field);
    }
  }
}

/// What comes over the connection.
std::string stream_of(std::string_view input) {
  static const std::string greeting = hello();
  const std::uint8_t choice = take_byte(input);
  std::string stream;
  if ((choice & 1U) == 0) {
    append_frame(stream, greeting);
  }
  if ((choice & 2U) != 0) {
    stream += input;
  } else {
    for (std::size_t end = input.find(kBetweenMessages); end != std::string_view::npos;
         end = input.find(kBetweenMessages)) {
      append_frame(stream, input.substr(0, end));
      input.remove_prefix(end + kBetweenMessages.size());
    }
    append_frame(stream, input);
  }
  cut_waits(stream);
  return stream;
}

/// All that has come so far.
void receive(const rpc::Descriptor& client, std::string& bytes) {
  std::array<char, 4096> piece{};
  for (;;) {
    const auto got = ::recv(client.get(), piece.data(), piece.size(), 0);
    if (got <= 0) {
      return;
    }
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
}

/// Reads a struct and tells whether it has the field 0, which holds what a call returned.
bool read_result(TBinaryProtocol& protocol) {
  bool is_success = false;
  std::string name;
  protocol.readStructBegin(name);
  for (;;) {
    TType type{};
    std::int16_t id = 0;
    protocol.readFieldBegin(name, type, id);
    if (type == apache::thrift::protocol::T_STOP) {
      return is_success;
    }
    is_success = is_success || id == 0;
    protocol.skip(type);
  }
}

/// The answers in `bytes`, which are frames and nothing else.
std::vector<Answer> read_answers(std::string_view bytes) {
  std::vector<Answer> answers;
  while (!bytes.empty()) {
    GRADMILL_CHECK(bytes.size() >= 4);
    std::uint32_t length = 0;
    for (const char c : bytes.substr(0, 4)) {
      length = length << 8U | static_cast<std::uint8_t>(c);
    }
    bytes.remove_prefix(4);
    GRADMILL_CHECK(length <= bytes.size());
    std::string message(bytes.substr(0, length));
    bytes.remove_prefix(length);
    const auto buffer = std::make_shared<TMemoryBuffer>(
        reinterpret_cast<std::uint8_t*>(message.data()), length, TMemoryBuffer::OBSERVE);
    TBinaryProtocol protocol(buffer);  // Ours refuses answers to calls that it has not made.
    Answer& answer = answers.emplace_back();
    TMessageType type{};
    std::int32_t sequence = 0;
    protocol.readMessageBegin(answer.method, type, sequence);
    const bool has_fields = read_result(protocol);
    GRADMILL_CHECK(type == apache::thrift::protocol::T_REPLY ||
                   type == apache::thrift::protocol::T_EXCEPTION);
    GRADMILL_CHECK(buffer->available_read() == 0);
    answer.is_success = type == apache::thrift::protocol::T_REPLY && has_fields;
  }
  return answers;
}

}  // namespace

std::vector<Answer> serve(apache::thrift::TProcessorFactory& handlers, std::string_view input) {
  static const auto never = std::make_shared<rpc::Interrupt>();
  Pipe pipe;
  const std::string stream = stream_of(input);
  // The buffer holds more than libFuzzer's longest inputs.
  GRADMILL_CHECK(::send(pipe.client.get(), stream.data(), stream.size(), MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(stream.size()));
  GRADMILL_CHECK(::shutdown(pipe.client.get(), SHUT_WR) == 0);

  const auto socket = std::make_shared<rpc::Socket>(
      std::make_unique<rpc::PlainStream>(std::move(pipe.server)), "fuzz");
  const rpc::FrameBounds bounds{.drain = never, .abort = never};
  const auto protocol =
      std::make_shared<rpc::Protocol>(std::make_shared<rpc::FramedTransport>(socket, bounds));
  rpc::Guard processor(handlers.getProcessor({protocol, protocol, socket}), {});
  std::string answers;
  try {
    while (processor.process(protocol, protocol, nullptr)) {
      receive(pipe.client, answers);
    }
  } catch (const apache::thrift::TException&) {  // The connection ends.
  }
  receive(pipe.client, answers);
  return read_answers(answers);
}

}  // namespace gradmill::fuzz
