#include "chaos/proxy.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace gradmill::chaos {

namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr int kBacklog = 128;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

rpc::Descriptor make_socket() {
  return rpc::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void send_at_once(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/// Closes with RST instead of FIN.
void reset(rpc::Descriptor& end) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  end.close();
}

/// Rounded up, so that what is due then is.
int milliseconds_until(Clock::time_point time, Clock::time_point now) {
  return static_cast<int>(
      std::chrono::ceil<milliseconds>(std::max(time - now, Clock::duration::zero())).count());
}

const LaneConditions& lane_conditions(const LinkConditions& conditions, std::size_t lane) {
  return lane == 0 ? conditions.requests : conditions.answers;
}

}  // namespace

Proxy::Proxy(std::uint64_t seed) : dice_(seed), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Proxy::~Proxy() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::size_t Proxy::add_link() {
  auto link = std::make_unique<Link>();
  link->listener = make_socket();
  sockaddr_in address = loopback(0);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const int fd = link->listener.get();
  if (::bind(fd, generic, size) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, generic, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  link->port = ntohs(address.sin_port);
  links_.push_back(std::move(link));
  return links_.size() - 1;
}

void Proxy::start() { thread_ = std::thread(&Proxy::run, this); }

void Proxy::set_target(std::size_t link, std::uint16_t port) { links_.at(link)->target = port; }

void Proxy::set(std::size_t link, const LinkConditions& conditions) {
  {
    const std::lock_guard lock(mutex_);
    links_.at(link)->conditions = conditions;
  }
  wake();
}

LinkConditions Proxy::conditions_of(const Link& link) const {
  const std::lock_guard lock(mutex_);
  return link.conditions;
}

void Proxy::wake() const { ::eventfd_write(wake_.get(), 1); }

void Proxy::run() {
  std::vector<pollfd> polled;
  while (!stopping_) {
    polled.assign(1, {wake_.get(), POLLIN, 0});
    for (const auto& link : links_) {
      polled.push_back({link->listener.get(), POLLIN, 0});
    }
    const Clock::time_point now = Clock::now();
    int timeout = -1;
    for (const Connection& connection : open_) {
      const LinkConditions conditions = conditions_of(*connection.link);
      for (const std::size_t end : {0U, 1U}) {
        const bool goes_on = connection.ends[1 - end].get() >= 0;
        const Lane& from = connection.lanes[end];
        const Lane& to = connection.lanes[1 - end];
        const bool reads = !goes_on || !from.full(lane_conditions(conditions, end));
        const bool writes = !to.due(now).empty();
        polled.push_back({connection.ends[end].get(),
                          static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)),
                          0});
        if (const auto next = to.next(); next && !writes) {
          const int wait = milliseconds_until(*next, now);
          timeout = timeout < 0 ? wait : std::min(timeout, wait);
        }
      }
    }
    if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) {
      return;
    }
    eventfd_t wakes = 0;
    ::eventfd_read(wake_.get(), &wakes);
    auto slot = polled.begin() + 1 + static_cast<std::ptrdiff_t>(links_.size());
    for (Connection& connection : open_) {
      const std::array<short, 2> ready = {slot[0].revents, slot[1].revents};
      slot += 2;
      serve(connection, ready);
    }
    open_.remove_if([](const Connection& connection) {
      return connection.ends[0].get() < 0 && connection.ends[1].get() < 0;
    });
    for (std::size_t n = 0; n < links_.size(); ++n) {
      if (polled[1 + n].revents != 0) {
        accept(*links_[n]);
      }
    }
    connections_ = open_.size();
  }
}

void Proxy::accept(Link& link) {
  Connection connection;
  connection.link = &link;
  connection.ends[0] = rpc::Descriptor(
      ::accept4(link.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection.ends[0].get() < 0) {
    return;
  }
  connection.ends[1] = make_socket();
  const sockaddr_in target = loopback(link.target);
  const bool fails = ::connect(connection.ends[1].get(),
                               reinterpret_cast<const sockaddr*>(&target),
                               sizeof target) != 0 &&
                     errno != EINPROGRESS;
  if (fails) {
    reset(connection.ends[0]);
    return;
  }
  send_at_once(connection.ends[0].get());
  send_at_once(connection.ends[1].get());
  open_.push_back(std::move(connection));
}

void Proxy::serve(Connection& connection, const std::array<short, 2>& ready) {
  const LinkConditions conditions = conditions_of(*connection.link);
  for (const std::size_t end : {0U, 1U}) {
    if ((ready[end] & ~POLLOUT) != 0 && connection.ends[end].get() >= 0) {
      read(connection, end, conditions);
    }
  }
  const Clock::time_point now = Clock::now();
  for (const std::size_t lane : {0U, 1U}) {
    write(connection, lane, now);
  }
  finish(connection);
}

void Proxy::read(Connection& connection, std::size_t end, const LinkConditions& conditions) {
  std::array<char, kReadSize> buffer;
  const ssize_t got = ::recv(connection.ends[end].get(), buffer.data(), buffer.size(), 0);
  Lane& lane = connection.lanes[end];
  if (got > 0) {
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (conditions.resets) {
      connection.reset = true;
      bytes = bytes.substr(0, bytes.size() / 2);
    }
    lane.take(
        bytes, lane_conditions(conditions, end), Clock::now(), connection.link->free[end], dice_);
  } else if (got == 0) {
    connection.ends[end].close();
    lane.close(lane_conditions(conditions, end));
  } else if (errno != EAGAIN && errno != EINTR) {
    if (lane.silent() || lane_conditions(conditions, end).loses_all) {
      connection.ends[end].close();
      lane.close(lane_conditions(conditions, end));
    } else {
      connection.reset = true;
    }
  }
}

void Proxy::write(Connection& connection, std::size_t lane, Clock::time_point now) {
  Lane& bytes = connection.lanes[lane];
  const int to = connection.ends[1 - lane].get();
  while (!bytes.due(now).empty()) {
    const std::string_view due = bytes.due(now);
    // Bytes for an end that has closed go nowhere.
    const ssize_t sent = to < 0 ? static_cast<ssize_t>(due.size())
                                : ::send(to, due.data(), due.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    bytes.passed_on(static_cast<std::size_t>(sent));
  }
}

void Proxy::finish(Connection& connection) {
  if (connection.reset) {
    reset(connection.ends[0]);
    reset(connection.ends[1]);
    return;
  }
  for (const std::size_t lane : {0U, 1U}) {
    if (connection.lanes[lane].ended()) {
      connection.ends[1 - lane].close();
    }
  }
}

}  // namespace gradmill::chaos
