#include "load_generator.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/short_slices.h"

namespace gradmill::bench {
namespace {

constexpr std::size_t kHeaderBytes = 4;
constexpr std::chrono::seconds kPatience{10};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return ntohl(number);
}

/// Whether a frame is an answer that is no exception: version and type, name, sequence, and then
/// the field `success`, which has the number 0.
bool is_success(const std::string& frame) {
  constexpr std::size_t kName = kHeaderBytes + 4;
  const std::size_t field = kName + 4 + number_at(frame, kName) + 4;
  return frame.at(kHeaderBytes + 3) == 2 && frame.at(field) == 12 && frame.at(field + 1) == 0 &&
         frame.at(field + 2) == 0;
}

}  // namespace

struct LoadGenerator::Connection {
  int fd = -1;
  std::string answer;  // what came of it
  std::size_t got = 0;
  std::size_t unsent = 0;  // bytes of the call
  Clock::time_point due{};

  void write(const std::string& frame) {
    while (unsent > 0) {
      const auto sent = ::send(fd, frame.data() + frame.size() - unsent, unsent, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno == EAGAIN) {
          return;  // The rest once the server has read some.
        }
        fail("send");
      }
      unsent -= static_cast<std::size_t>(sent);
    }
  }
};

double LoadResult::percentile(double share) const {
  if (latencies_us.empty()) {
    throw std::runtime_error("no call was answered");
  }
  const auto last = static_cast<double>(latencies_us.size() - 1);
  return latencies_us[static_cast<std::size_t>(share * last)];
}

LoadGenerator::LoadGenerator(std::uint16_t port, std::size_t connections, Call call)
    : call_(std::move(call)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  prefer_short_slices();  // It is the time of the servers that counts.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  for (std::size_t n = 0; n < connections; ++n) {
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection.fd < 0 ||
        ::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("connect");
    }
    const int one = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection.unsent = call_.hello.size();
    connection.write(call_.hello);
    while (!receive(connection)) {
    }
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &connection}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event);
  }
}

LoadGenerator::~LoadGenerator() {
  for (const auto& connection : connections_) {
    ::close(connection->fd);
  }
  ::close(poll_);
}

void LoadGenerator::send(Connection& connection, Clock::time_point due) {
  connection.due = due;
  connection.unsent = call_.frame.size();
  connection.write(call_.frame);
}

bool LoadGenerator::receive(Connection& connection) {
  std::string& answer = connection.answer;
  if (answer.empty()) {
    answer.resize(std::size_t{64} << 10U);
  }
  // Nothing is due before the first call: then this is hello, which may be waited for.
  const auto got = ::recv(connection.fd,
                          answer.data() + connection.got,
                          answer.size() - connection.got,
                          connection.due == Clock::time_point{} ? 0 : MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) {
    return false;
  }
  if (got <= 0) {
    fail("the server closed the connection");
  }
  connection.got += static_cast<std::size_t>(got);
  if (connection.got < kHeaderBytes || connection.got < kHeaderBytes + number_at(answer, 0)) {
    return false;
  }
  if (!is_success(answer)) {
    throw std::runtime_error("the server answered with an exception: " +
                             answer.substr(0, connection.got));
  }
  connection.got = 0;
  return true;
}

std::vector<LoadGenerator::Connection*> LoadGenerator::answered_within(Clock::duration wait) {
  std::array<epoll_event, 128> events{};
  const auto nanoseconds =
      std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(wait)).count();
  const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000,
                         .tv_nsec = nanoseconds % 1'000'000'000};
  const int ready =
      ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    fail("epoll_pwait2");
  }
  std::vector<Connection*> answered;
  for (int n = 0; n < ready; ++n) {
    auto& connection = *static_cast<Connection*>(events.at(static_cast<std::size_t>(n)).data.ptr);
    connection.write(call_.frame);
    if ((events.at(static_cast<std::size_t>(n)).events & EPOLLIN) != 0 &&
        connection.due != Clock::time_point{} && receive(connection)) {
      answered.push_back(&connection);
    }
  }
  return answered;
}

LoadResult LoadGenerator::at_rate(double calls_per_second, std::chrono::duration<double> duration) {
  const std::chrono::duration<double> step(1 / calls_per_second);
  const auto calls = static_cast<std::size_t>(duration / step);
  std::deque<Connection*> idle;
  for (const auto& connection : connections_) {
    idle.push_back(connection.get());
  }
  LoadResult result;
  const auto start = Clock::now();
  const auto due = [&](std::size_t call) {
    return start + std::chrono::duration_cast<Clock::duration>(step * static_cast<double>(call));
  };
  std::size_t sent = 0;
  while (result.latencies_us.size() < calls) {
    auto now = Clock::now();
    while (sent < calls && due(sent) <= now && !idle.empty()) {
      send(*idle.front(), due(sent));
      idle.pop_front();
      ++sent;
    }
    const bool waits_to_send = sent < calls && !idle.empty();
    const auto wait = waits_to_send ? due(sent) - now : Clock::duration(kPatience);
    const std::vector<Connection*> answered = answered_within(wait);
    now = Clock::now();
    if (answered.empty() && !waits_to_send && now - start > duration + kPatience) {
      throw std::runtime_error("no answer");
    }
    for (Connection* const connection : answered) {
      result.latencies_us.push_back(
          std::chrono::duration<double, std::micro>(now - connection->due).count());
      connection->due = {};
      idle.push_back(connection);
    }
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(result.latencies_us.begin(), result.latencies_us.end());
  return result;
}

LoadResult LoadGenerator::as_fast_as_possible(std::chrono::duration<double> duration) {
  LoadResult result;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(duration);
  for (const auto& connection : connections_) {
    send(*connection, start);
  }
  std::size_t pending = connections_.size();
  while (pending > 0) {
    const std::vector<Connection*> answered = answered_within(kPatience);
    if (answered.empty() && Clock::now() > end + kPatience) {
      throw std::runtime_error("no answer");
    }
    for (Connection* const connection : answered) {
      const auto now = Clock::now();
      result.latencies_us.push_back(
          std::chrono::duration<double, std::micro>(now - connection->due).count());
      if (now < end) {
        send(*connection, now);
      } else {
        connection->due = {};
        --pending;
      }
    }
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(result.latencies_us.begin(), result.latencies_us.end());
  return result;
}

}  // namespace gradmill::bench
