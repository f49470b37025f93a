#include "rpc/listener.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/error.h"
#include "rpc/connect.h"
#include "rpc/limits.h"
#include "rpc/process_setup.h"
#include "rpc/protocol.h"
#include "rpc/socket.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::transport::TTransportException;

// A bound and listening descriptor, or -1 and errno.
int listen_on(const addrinfo& candidate) {
  const int fd = ::socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -1;
  }
  // Lets a server restart while connections of its predecessor fade away.
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(fd, candidate.ai_addr, candidate.ai_addrlen) != 0 ||
      ::listen(fd, kListenBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

// Prefers IPv4, which is what nodes are listed by.
const addrinfo* preferred(const addrinfo* list) {
  for (const addrinfo* candidate = list; candidate != nullptr; candidate = candidate->ai_next) {
    if (candidate->ai_family == AF_INET) {
      return candidate;
    }
  }
  return list;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Listener::Listener(const Address& address, std::shared_ptr<Interrupt> stop)
    : stop_(std::move(stop)) {
  const std::string intent = "cannot listen on " + address.text() + ": ";
  try {
    const AddressList list = resolve(address, /*passive=*/true);
    fd_ = listen_on(*preferred(list.get()));
  } catch (const Error& error) {
    throw invalid_input(intent + error.what());
  }
  if (fd_ < 0) {
    throw invalid_input(intent + error_text(errno));
  }
  port_ = port_of(fd_);
}

Listener::~Listener() { Listener::close(); }

void Listener::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

std::shared_ptr<apache::thrift::transport::TTransport> Listener::acceptImpl() {
  int pause_ms = -1;  // Without end, unless the last accept failed.
  for (;;) {
    // After a failure the listening socket stays readable, so only the switch is waited for.
    std::array<pollfd, 2> waits = {pollfd{stop_->fd(), POLLIN, 0},
                                   pollfd{pause_ms < 0 ? fd_ : -1, POLLIN, 0}};
    ::poll(waits.data(), waits.size(), pause_ms);
    if (stop_->triggered()) {
      throw TTransportException(TTransportException::INTERRUPTED, "the server stops");
    }
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    const int fd = ::accept4(fd_, address, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      return std::make_shared<Socket>(fd, address_text(address, bytes), make_configuration());
    }
    const bool no_fault = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    pause_ms = no_fault ? -1 : static_cast<int>(kAcceptRetryPause.count());
    if (!no_fault) {
      warn_at_a_limited_rate("cannot accept a connection, trying again: " + error_text(errno));
    }
  }
}

}  // namespace gradmill::rpc
