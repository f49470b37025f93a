#include "rpc/connect.h"

#include <poll.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "rpc/socket.h"

namespace gradmill::rpc {
namespace {

using Clock = Socket::Clock;

std::string lower_first(std::string text) {
  if (!text.empty()) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

// The kernel may give the very port that is being called as the caller's own; then the socket
// talks to itself and keeps the real server from coming back.
bool is_connected_to_itself(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_bytes = sizeof own;
  socklen_t peer_bytes = sizeof peer;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_bytes) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) == 0 &&
         own_bytes == peer_bytes && std::memcmp(&own, &peer, own_bytes) == 0;
}

// Waits for a connection that is being made; returns its errno, ETIMEDOUT when time is up, EINTR
// when interrupted.
int finish_connecting(int fd, Clock::time_point deadline, const Interrupt* interrupt) {
  for (;;) {
    std::array<pollfd, 2> waits = {pollfd{fd, POLLOUT, 0},
                                   pollfd{interrupt == nullptr ? -1 : interrupt->fd(), POLLIN, 0}};
    const int ready = ::poll(waits.data(), waits.size(), poll_timeout_ms(deadline));
    if (ready < 0 && errno != EINTR) {
      return errno;
    }
    if (ready > 0 && waits[1].revents != 0) {
      return EINTR;
    }
    if (ready > 0) {
      int error = 0;
      socklen_t bytes = sizeof error;
      return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 ? error : errno;
    }
    if (Clock::now() >= deadline) {
      return ETIMEDOUT;
    }
  }
}

// Connects `fd`; returns 0 or as finish_connecting().
int try_connecting(int fd,
                   const addrinfo& candidate,
                   Clock::time_point deadline,
                   const Interrupt* interrupt) {
  if (::connect(fd, candidate.ai_addr, candidate.ai_addrlen) != 0) {
    const int error = errno == EINPROGRESS ? finish_connecting(fd, deadline, interrupt) : errno;
    if (error != 0) {
      return error;
    }
  }
  return is_connected_to_itself(fd) ? ECONNREFUSED : 0;
}

// Whether this machine has no way to call such an address at all, as ::1 where IPv6 is off.
bool is_beyond_us(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

}  // namespace

AddressList resolve(const Address& address, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  AddressList list(found, &::freeaddrinfo);
  if (error != 0 || found == nullptr) {
    throw Error(ErrorCode::kUnreachable,
                error == EAI_SYSTEM ? error_text(errno) : lower_first(::gai_strerror(error)));
  }
  return list;
}

std::string error_text(int error) { return lower_first(std::generic_category().message(error)); }

std::string address_text(const sockaddr* address, socklen_t bytes) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address,
                    bytes,
                    host.data(),
                    host.size(),
                    port.data(),
                    port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  const std::string name = host.data();
  return (address->sa_family == AF_INET6 ? "[" + name + "]:" : name + ":") + port.data();
}

Descriptor connect_to(const Address& address,
                      std::chrono::milliseconds timeout,
                      const Interrupt* interrupt) {
  const auto fail = [&address](ErrorCode code, const std::string& why) {
    return Error(code, address.text() + ": " + why);
  };
  AddressList list(nullptr, &::freeaddrinfo);
  try {
    list = resolve(address, /*passive=*/false);
  } catch (const Error& error) {
    throw fail(ErrorCode::kUnreachable, error.what());
  }
  const auto deadline = Clock::now() + timeout;
  int error = 0;
  bool refused = false;
  bool silent = false;
  for (const addrinfo* candidate = list.get(); candidate != nullptr;
       candidate = candidate->ai_next) {
    Descriptor fd(::socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = fd.get() < 0 ? errno : try_connecting(fd.get(), *candidate, deadline, interrupt);
    if (error == 0) {
      return fd;
    }
    if (error == EINTR) {
      throw fail(ErrorCode::kUnavailable, "the call was interrupted");
    }
    if (error == ECONNREFUSED) {
      refused = true;
    } else if (!is_beyond_us(error)) {
      silent = true;
    }
    if (Clock::now() >= deadline) {
      throw fail(ErrorCode::kUnreachable, "no connection within " + duration_text(timeout));
    }
  }
  if (refused && !silent) {
    throw ConnectionRefused(address.text() + ": " + error_text(ECONNREFUSED));
  }
  throw fail(ErrorCode::kUnreachable, error_text(error));
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  return count % 1'000 == 0 ? std::to_string(count / 1'000) + " s" : std::to_string(count) + " ms";
}

}  // namespace gradmill::rpc
