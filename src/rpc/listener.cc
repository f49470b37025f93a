#include "rpc/listener.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/error.h"
#include "rpc/connect.h"
#include "rpc/limits.h"
#include "rpc/process_setup.h"

namespace gradmill::rpc {
namespace {

// A bound and listening descriptor, or none and errno.
Descriptor listen_on(const addrinfo& candidate) {
  Descriptor fd(::socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) {
    return fd;
  }
  // Lets a server restart while connections of its predecessor fade away.
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(fd.get(), candidate.ai_addr, candidate.ai_addrlen) != 0 ||
      ::listen(fd.get(), kListenBacklog) != 0) {
    const int error = errno;
    fd.close();
    errno = error;
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

Listener::Listener(const Address& address) {
  const std::string intent = "cannot listen on " + address.text() + ": ";
  int error = 0;
  try {
    const AddressList list = resolve(address, /*passive=*/true);
    fd_ = listen_on(*preferred(list.get()));
    error = errno;
  } catch (const Error& failure) {
    throw invalid_input(intent + failure.what());
  }
  if (fd_.get() < 0) {
    throw invalid_input(intent + error_text(error));
  }
  port_ = port_of(fd_.get());
}

std::optional<Accepted> Listener::accept(const Interrupt& stop,
                                         const std::function<void()>& make_room) {
  int pause_ms = -1;  // Without end, unless the last accept failed.
  for (;;) {
    // After a failure the listening socket stays readable, so only the switch is waited for.
    std::array<pollfd, 2> waits = {pollfd{stop.fd(), POLLIN, 0},
                                   pollfd{pause_ms < 0 ? fd_.get() : -1, POLLIN, 0}};
    ::poll(waits.data(), waits.size(), pause_ms);
    if (stop.triggered()) {
      return std::nullopt;
    }
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    Descriptor fd(::accept4(fd_.get(), address, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.get() >= 0) {
      return Accepted{std::move(fd), address_text(address, bytes)};
    }
    const int error = errno;
    const bool no_fault = error == EAGAIN || error == EINTR || error == ECONNABORTED;
    pause_ms = no_fault ? -1 : static_cast<int>(kAcceptRetryPause.count());
    if (!no_fault) {
      warn_at_a_limited_rate("cannot accept a connection, trying again: " + error_text(error));
      make_room();
    }
  }
}

std::uint64_t descriptors_for_connections() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return UINT64_MAX;
  }
  return limit.rlim_cur - std::min<rlim_t>(kDescriptorsKept, limit.rlim_cur / 2);
}

// The kernel gives out the lowest number that is free, so that all below it are taken.
bool is_among_the_last(const Descriptor& fd) noexcept {
  return static_cast<std::uint64_t>(fd.get()) >= descriptors_for_connections();
}

}  // namespace gradmill::rpc
