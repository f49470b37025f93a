#include "rpc/socket.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
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

Socket::Socket(std::unique_ptr<Stream> stream, std::string origin, std::shared_ptr<Traffic> traffic)
    : TVirtualTransport(make_configuration()),
      stream_(std::move(stream)),
      origin_(std::move(origin)),
      traffic_(std::move(traffic)) {
  set_tcp_options(stream_->fd());
}

void Socket::bound(Clock::time_point deadline, const Interrupt* interrupt) noexcept {
  deadline_ = deadline;
  interrupt_ = interrupt;
  ran_at_ = Clock::now();
}

void Socket::handshake() {
  for (;;) {
    const Progress progress = stream_->handshake();
    if (progress.state == Progress::State::kDone) {
      return;
    }
    handle(progress);
    if (closed_by_peer_) {
      throw TTransportException(TTransportException::END_OF_FILE, "the peer closed the connection");
    }
  }
}

std::uint32_t Socket::read(std::uint8_t* buffer, std::uint32_t bytes) {
  if (ahead_first_ == ahead_end_) {
    if (bytes == 0 || bytes >= ahead_.size()) {
      return receive(buffer, bytes);
    }
    ahead_first_ = 0;
    ahead_end_ = 0;  // In case nothing comes.
    ahead_end_ = receive(ahead_.data(), static_cast<std::uint32_t>(ahead_.size()));
  }
  const std::uint32_t got = std::min(bytes, ahead_end_ - ahead_first_);
  std::memcpy(buffer, ahead_.data() + ahead_first_, got);
  ahead_first_ += got;
  return got;
}

std::uint32_t Socket::receive(std::uint8_t* buffer, std::uint32_t bytes) {
  while (bytes > 0) {
    const Progress progress = stream_->read(buffer, bytes);
    if (progress.state == Progress::State::kDone) {
      ran_at_ = Clock::now();
      bytes_read_ += progress.bytes;
      if (traffic_ != nullptr) {
        traffic_->received.fetch_add(progress.bytes, std::memory_order_relaxed);
      }
      return progress.bytes;
    }
    handle(progress);
    if (closed_by_peer_) {
      return 0;
    }
  }
  return 0;
}

void Socket::write(const std::uint8_t* buffer, std::uint32_t bytes) {
  while (bytes > 0) {
    const Progress progress = stream_->write(buffer, bytes);
    if (progress.state == Progress::State::kDone) {
      ran_at_ = Clock::now();
      buffer += progress.bytes;
      bytes -= progress.bytes;
      if (traffic_ != nullptr) {
        traffic_->sent.fetch_add(progress.bytes, std::memory_order_relaxed);
      }
      continue;
    }
    handle(progress);
    if (closed_by_peer_) {
      throw TTransportException(TTransportException::END_OF_FILE, "the peer closed the connection");
    }
  }
}

void Socket::end() noexcept { ::shutdown(stream_->fd(), SHUT_RDWR); }

void Socket::handle(const Progress& progress) {
  switch (progress.state) {
    case Progress::State::kDone:
      return;
    case Progress::State::kNeedsInput:
      return wait(POLLIN);
    case Progress::State::kNeedsOutput:
      return wait(POLLOUT);
    case Progress::State::kEnded:
      closed_by_peer_ = true;
      return;
    case Progress::State::kFailed:
      fail(progress.error);
  }
}

void Socket::wait(short events) {
  if (events == POLLIN && spin_ != nullptr && spin_->finds([&] { return !stream_->quiet(); })) {
    return;
  }
  std::array<pollfd, 2> waits = {pollfd{stream_->fd(), events, 0},
                                 pollfd{interrupt_ == nullptr ? -1 : interrupt_->fd(), POLLIN, 0}};
  const Clock::time_point start = Clock::now();
  if (const Clock::duration gap = start - ran_at_;
      gap > kOversleep && deadline_ < Clock::time_point::max() - gap) {
    deadline_ += gap;  // As below.
  }
  const int timeout = poll_timeout_ms(deadline_);
  const int ready = ::poll(waits.data(), waits.size(), timeout);
  if (ready < 0 && errno != EINTR) {
    fail(errno);
  }
  if (ready > 0 && waits[1].revents != 0) {
    throw TTransportException(TTransportException::INTERRUPTED, "interrupted");
  }
  const Clock::time_point now = Clock::now();
  ran_at_ = now;
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

void Socket::fail(int error) {
  failure_ = error;
  throw TTransportException(TTransportException::UNKNOWN, "socket " + origin_, error);
}

}  // namespace gradmill::rpc
