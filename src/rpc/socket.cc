#include "rpc/socket.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "rpc/limits.h"
#include "rpc/protocol.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::transport::TTransportException;

// A wait that ends later than this after its time was not slow, but held: by SIGSTOP, a debugger,
// or a machine without time for us.
constexpr std::chrono::milliseconds kOversleep{100};

// Failure is harmless: these only hasten what deadlines find as well.
void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

void set_tcp_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(kTcpUserTimeout.count()));
}

}  // namespace

int poll_timeout_ms(Socket::Clock::time_point deadline) {
  using std::chrono::milliseconds;
  constexpr milliseconds kDay = std::chrono::hours(24);
  const auto now = Socket::Clock::now();
  if (deadline <= now) {
    return 0;
  }
  if (deadline - now >= kDay) {
    return static_cast<int>(kDay.count());
  }
  return static_cast<int>(std::chrono::ceil<milliseconds>(deadline - now).count());
}

Socket::Socket(Descriptor fd, std::string origin, std::shared_ptr<Traffic> traffic)
    : TVirtualTransport(make_configuration()),
      fd_(std::move(fd)),
      origin_(std::move(origin)),
      traffic_(std::move(traffic)) {
  set_tcp_options(fd_.get());
}

void Socket::bound(Clock::time_point deadline, const Interrupt* interrupt) noexcept {
  deadline_ = deadline;
  interrupt_ = interrupt;
}

std::uint32_t Socket::read(std::uint8_t* buffer, std::uint32_t bytes) {
  while (bytes > 0) {
    const auto got = ::recv(fd_.get(), buffer, bytes, 0);
    if (got > 0) {
      bytes_read_ += static_cast<std::uint64_t>(got);
      if (traffic_ != nullptr) {
        traffic_->received.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
      }
      return static_cast<std::uint32_t>(got);
    }
    if (got == 0) {
      closed_by_peer_ = true;
      return 0;
    }
    if (errno == EAGAIN) {
      wait(POLLIN);
    } else if (errno != EINTR) {
      note_error(errno);
      return 0;
    }
  }
  return 0;
}

void Socket::write(const std::uint8_t* buffer, std::uint32_t bytes) {
  while (bytes > 0) {
    const auto sent = ::send(fd_.get(), buffer, bytes, MSG_NOSIGNAL);
    if (sent >= 0) {
      buffer += sent;
      bytes -= static_cast<std::uint32_t>(sent);
      if (traffic_ != nullptr) {
        traffic_->sent.fetch_add(static_cast<std::uint64_t>(sent), std::memory_order_relaxed);
      }
    } else if (errno == EAGAIN) {
      wait(POLLOUT);
    } else if (errno != EINTR) {
      note_error(errno);
      throw TTransportException(TTransportException::END_OF_FILE, "the peer closed the connection");
    }
  }
}

bool Socket::quiet() const noexcept {
  char byte = 0;
  return isOpen() && ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void Socket::wait(short events) {
  std::array<pollfd, 2> waits = {pollfd{fd_.get(), events, 0},
                                 pollfd{interrupt_ == nullptr ? -1 : interrupt_->fd(), POLLIN, 0}};
  const Clock::time_point start = Clock::now();
  const int timeout = poll_timeout_ms(deadline_);
  const int ready = ::poll(waits.data(), waits.size(), timeout);
  if (ready < 0 && errno != EINTR) {
    note_error(errno);
  }
  if (ready > 0 && waits[1].revents != 0) {
    throw TTransportException(TTransportException::INTERRUPTED, "interrupted");
  }
  const Clock::time_point now = Clock::now();
  if (now - start > std::chrono::milliseconds(timeout) + kOversleep) {
    // The process did not run: nobody can say that the peer took too long, so it has that time
    // anew.
    deadline_ = now + std::chrono::milliseconds(timeout);
    return;
  }
  // Time is up even while bytes keep coming: the deadline is absolute.
  if (now >= deadline_) {
    throw TTransportException(TTransportException::TIMED_OUT, "out of time");
  }
}

void Socket::note_error(int error) {
  if (error == ECONNRESET || error == EPIPE) {
    closed_by_peer_ = true;
    return;
  }
  failure_ = error;
  throw TTransportException(TTransportException::UNKNOWN, "socket " + origin_, error);
}

}  // namespace gradmill::rpc
