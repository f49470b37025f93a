#include "byte_relay.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gradmill::bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

ByteRelay::ByteRelay(std::uint16_t target) : target_(target) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the relay cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ByteRelay::~ByteRelay() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (Connection& connection : connections_) {
    ::shutdown(connection.near, SHUT_RDWR);
    connection.thread.join();
    ::close(connection.near);
    ::close(connection.far);
  }
}

std::uint64_t ByteRelay::bytes() {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const Connection& connection : connections_) {
    bytes += connection.beats ? 0 : connection.bytes.load();
  }
  return bytes;
}

void ByteRelay::accept_all() {
  for (;;) {
    const int near = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (near < 0) {
      return;
    }
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    if (::connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(far);
      ::close(near);
      continue;
    }
    set_no_delay(near);
    set_no_delay(far);
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.near = near;
    connection.far = far;
    connection.thread = std::thread([&connection] { relay(connection); });
  }
}

void ByteRelay::relay(Connection& connection) {
  bool open = true;
  while (open) {
    std::array<pollfd, 2> ends = {pollfd{connection.near, POLLIN, 0},
                                  pollfd{connection.far, POLLIN, 0}};
    open = ::poll(ends.data(), ends.size(), -1) > 0;
    if (open && ends[0].revents != 0) {
      open = pass(connection.near, connection.far, connection, true);
    }
    if (open && ends[1].revents != 0) {
      open = pass(connection.far, connection.near, connection, false);
    }
  }
  ::shutdown(connection.near, SHUT_RDWR);
  ::shutdown(connection.far, SHUT_RDWR);
}

bool ByteRelay::pass(int from, int to, Connection& connection, bool from_coordinator) {
  constexpr std::size_t kStart = 1024;
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    return false;
  }
  const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
  if (from_coordinator && connection.start.size() < kStart) {
    connection.start += piece.substr(0, kStart - connection.start.size());
    connection.beats = connection.start.find("heartbeat") != std::string::npos;
  }
  connection.bytes += piece.size();
  for (std::size_t sent = 0; sent < piece.size();) {
    const ssize_t count = ::send(to, piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) {
      return false;
    }
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace gradmill::bench
