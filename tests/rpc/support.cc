#include "support.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include "rpc/socket.h"

namespace gradmill::rpc::test {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TMemoryBuffer;

wire::InvalidRequest declared_error() {
  wire::InvalidRequest error;
  error.message = "as declared";
  return error;
}

class Handler final : public wire::NodeServiceNull {
 public:
  explicit Handler(World& world) : world_(world) { ++world_.connections; }

  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    ++world_.calls;
    const std::string& behaviour = request.program_version;
    if (behaviour == "wait") {
      world_.gate.pass();
    } else if (behaviour == "runtime_error") {
      throw std::runtime_error("secret detail");
    } else if (behaviour == "int") {
      throw 42;
    } else if (behaviour == "bad_alloc") {
      throw std::bad_alloc();
    } else if (behaviour == "declared") {
      throw declared_error();
    }
    response.program_version = behaviour;
    if (behaviour == "huge") {
      response.kernel_id.resize(kFrameBytesMax);
    }
  }

  void putBlob(wire::PutBlobResponse& response, const wire::PutBlobRequest& request) override {
    response.received = request.offset + static_cast<std::int64_t>(request.data.size());
  }

  void getBlob(wire::GetBlobResponse& response, const wire::GetBlobRequest& request) override {
    response.data.assign(static_cast<std::size_t>(request.bytes_max), 'x');
  }

 private:
  World& world_;
};

class HandlerFactory final : public apache::thrift::TProcessorFactory {
 public:
  explicit HandlerFactory(World& world) : world_(world) {}
  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& /*connection*/) override {
    return std::make_shared<wire::NodeServiceProcessor>(std::make_shared<Handler>(world_));
  }

 private:
  World& world_;
};

}  // namespace

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++arrivals_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return open_; });
}

void Gate::await_arrivals(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, count] { return arrivals_ >= count; });
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

std::shared_ptr<apache::thrift::TProcessorFactory> make_handlers(World& world) {
  return std::make_shared<HandlerFactory>(world);
}

ServerOptions options() {
  ServerOptions options;
  options.name = "test";
  options.address = {"127.0.0.1", 0};
  return options;
}

Address address_of(const Server& server) { return {"127.0.0.1", server.port()}; }

std::string hello(NodeConnection& connection, const std::string& behaviour, milliseconds deadline) {
  return connection.call(deadline, [&behaviour](wire::NodeServiceClient& client) {
    wire::HelloRequest request;
    request.program_version = behaviour;
    wire::HelloResponse response;
    client.hello(response, request);
    return response.program_version;
  });
}

std::string hello(const Server& server, const std::string& behaviour) {
  NodeConnection connection(address_of(server));
  return hello(connection, behaviour);
}

bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd wait{fd_.get(), POLLOUT, 0};
    ::poll(&wait, 1, -1);
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  return true;
}

std::string RawPeer::receive(std::size_t bytes, milliseconds timeout) {
  const auto deadline = Socket::Clock::now() + timeout;
  std::string received;
  std::string buffer(65'536, '\0');
  while (received.size() < bytes) {
    pollfd wait{fd_.get(), POLLIN, 0};
    if (::poll(&wait, 1, poll_timeout_ms(deadline)) == 0) {
      throw std::runtime_error("timed out");
    }
    const std::size_t part = std::min(bytes - received.size(), buffer.size());
    const auto got = ::recv(fd_.get(), buffer.data(), part, MSG_DONTWAIT);
    if (got <= 0) {
      break;
    }
    received.append(buffer, 0, static_cast<std::size_t>(got));
  }
  return received;
}

std::string RawPeer::receive_frame() {
  std::string header = receive(4, kAmple);
  if (header.size() < 4) {
    return header;
  }
  std::uint32_t length = 0;
  header.copy(reinterpret_cast<char*>(&length), sizeof length);
  return header + receive(ntohl(length), kAmple);
}

bool RawPeer::closed_within(milliseconds timeout) {
  try {
    receive(SIZE_MAX, timeout);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string RawPeer::finish() {
  ::shutdown(fd_.get(), SHUT_WR);
  return receive(SIZE_MAX, kAmple);
}

RawListener::RawListener(int backlog) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd_.get(), name, bytes) != 0 || ::listen(fd_.get(), backlog) != 0 ||
      ::getsockname(fd_.get(), name, &bytes) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
}

RawPeer RawListener::accept() {
  pollfd wait{fd_.get(), POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(kAmple.count())) <= 0) {
    throw std::runtime_error("nobody connects");
  }
  return RawPeer(Descriptor(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift & 0xff));
  }
  return text;
}

std::string frame(std::string_view bytes) {
  return big_endian(bytes.size(), 4) + std::string(bytes);
}

std::string hello_call(const std::string& behaviour) {
  const auto buffer = std::make_shared<TMemoryBuffer>();
  wire::NodeServiceClient client(std::make_shared<TBinaryProtocol>(buffer));
  wire::HelloRequest request;
  request.program_version = behaviour;
  client.send_hello(request);
  return frame(buffer->getBufferAsString());
}

std::string hello_answer(const std::string& behaviour, const std::string& method) {
  const auto buffer = std::make_shared<TMemoryBuffer>();
  TBinaryProtocol protocol(buffer);
  wire::HelloResponse response;
  response.program_version = behaviour;
  protocol.writeMessageBegin(method, apache::thrift::protocol::T_REPLY, 0);
  wire::NodeService_hello_result result;
  result.success = response;
  result.__isset.success = true;
  result.write(&protocol);
  protocol.writeMessageEnd();
  return frame(buffer->getBufferAsString());
}

std::int64_t resident_bytes() {
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

int thread_count() {
  using Entries = std::filesystem::directory_iterator;
  return static_cast<int>(std::distance(Entries("/proc/self/task"), Entries()));
}

int descriptor_count() {
  using Entries = std::filesystem::directory_iterator;
  return static_cast<int>(std::distance(Entries("/proc/self/fd"), Entries()));
}

}  // namespace gradmill::rpc::test
