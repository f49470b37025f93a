#include "chaos/proxy.h"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace gradmill::chaos {
namespace {

using std::chrono::seconds;

constexpr milliseconds kSoon{5000};
constexpr milliseconds kSilence{300};

/// A message as the RPC frames it.
std::string frame(const std::string& content) {
  std::string bytes(4, '\0');
  bytes[3] = static_cast<char>(content.size());
  return bytes + content;
}

/// What a read brought: bytes, "" for nothing in time, or "end" or "reset".
class Peer {
 public:
  explicit Peer(rpc::Descriptor fd) : fd_(std::move(fd)) {}

  void send(const std::string& bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  [[nodiscard]] std::string receive(std::size_t size, milliseconds timeout) const {
    const auto end = Clock::now() + timeout;
    std::string bytes;
    while (bytes.size() < size) {
      pollfd ready{fd_.get(), POLLIN, 0};
      const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
      if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) {
        break;
      }
      std::string buffer(size - bytes.size(), '\0');
      const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        return bytes + (got == 0 ? "end" : "reset");
      }
      bytes += buffer.substr(0, static_cast<std::size_t>(got));
    }
    return bytes;
  }

  void close() { fd_.close(); }

 private:
  rpc::Descriptor fd_;
};

class ChaosProxy : public testing::Test {
 protected:
  ChaosProxy() {
    listener_ = rpc::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), generic, &size), 0);
    proxy_.add_link();
    proxy_.set_target(0, ntohs(address.sin_port));
    proxy_.start();
    client_ = std::make_unique<Peer>(connect());
    server_ = std::make_unique<Peer>(accept());
  }

  rpc::Descriptor connect() const {
    rpc::Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(proxy_.port(0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  rpc::Descriptor accept() const {
    return rpc::Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  /// Changes the link, and waits until a message each way went through under the old conditions.
  void set(const LinkConditions& conditions) {
    client_->send(frame("before"));
    EXPECT_EQ(server_->receive(10, kSoon), frame("before"));
    server_->send(frame("before"));
    EXPECT_EQ(client_->receive(10, kSoon), frame("before"));
    proxy_.set(0, conditions);
  }

  rpc::Descriptor listener_;
  Proxy proxy_{1};
  std::unique_ptr<Peer> client_;
  std::unique_ptr<Peer> server_;
};

TEST_F(ChaosProxy, PassesBytesAndEndsOn) {
  const std::string many(1'000'000, 'x');
  std::thread sender([&] { client_->send(many); });
  EXPECT_EQ(server_->receive(many.size(), kSoon), many);
  sender.join();
  client_->send("last");
  client_->close();
  EXPECT_EQ(server_->receive(8, kSoon), "lastend");
}

TEST_F(ChaosProxy, LosesOneDirectionForGood) {
  set({.requests = {.loses_all = true}});
  client_->send(frame("lost"));
  EXPECT_EQ(server_->receive(1, kSilence), "");
  server_->send(frame("kept"));
  EXPECT_EQ(client_->receive(8, kSoon), frame("kept"));
  // After it is healed, this connection is as good as dead, and a new one is fine.
  proxy_.set(0, {});
  client_->send(frame("late"));
  EXPECT_EQ(server_->receive(1, kSilence), "");
  const Peer client(connect());
  const Peer server(accept());
  client.send(frame("new"));
  EXPECT_EQ(server.receive(7, kSoon), frame("new"));
}

TEST_F(ChaosProxy, LosesTheOtherDirection) {
  set({.answers = {.loses_all = true}});
  server_->send(frame("lost"));
  EXPECT_EQ(client_->receive(1, kSilence), "");
  client_->send(frame("kept"));
  EXPECT_EQ(server_->receive(8, kSoon), frame("kept"));
}

TEST_F(ChaosProxy, LosesTheEndOfAConnectionToo) {
  set({.requests = {.loses_all = true}, .answers = {.loses_all = true}});
  client_->close();
  EXPECT_EQ(server_->receive(1, kSilence), "");
}

TEST_F(ChaosProxy, KeepsConnectionsThatCarryNothingWhilePartitioned) {
  set({.requests = {.loses_all = true}, .answers = {.loses_all = true}});
  proxy_.set(0, {});
  set({});
}

TEST_F(ChaosProxy, LosesWholeMessages) {
  set({.requests = {.lost_frames = 1}});
  client_->send(frame("lost").substr(0, 6));
  EXPECT_EQ(server_->receive(1, kSilence), "");
  proxy_.set(0, {});
  client_->send("st" + frame("kept"));
  EXPECT_EQ(server_->receive(8, kSoon), frame("kept"));
}

TEST_F(ChaosProxy, Delays) {
  set({.requests = {.delay = milliseconds(100), .jitter = milliseconds(50)}});
  const auto sent = Clock::now();
  for (int n = 0; n < 5; ++n) {
    client_->send(frame("message" + std::to_string(n)));
  }
  for (int n = 0; n < 5; ++n) {
    EXPECT_EQ(server_->receive(12, kSoon), frame("message" + std::to_string(n)));
  }
  EXPECT_GE(Clock::now() - sent, milliseconds(50));
}

TEST_F(ChaosProxy, LimitsTheRate) {
  set({.requests = {.bytes_per_second = 8000}});
  const std::string bytes(4000, 'x');
  const auto sent = Clock::now();
  client_->send(bytes);
  EXPECT_EQ(server_->receive(bytes.size(), kSoon), bytes);
  EXPECT_GE(Clock::now() - sent, milliseconds(450));
}

TEST_F(ChaosProxy, ResetsInTheMiddleOfAMessage) {
  set({.resets = true});
  client_->send(frame("broken"));
  EXPECT_EQ(server_->receive(10, kSoon), frame("broken").substr(0, 5) + "reset");
  EXPECT_EQ(client_->receive(1, kSoon), "reset");
}

TEST_F(ChaosProxy, ResetsConnectionsToAServerThatIsGone) {
  listener_.close();
  const Peer client(connect());
  EXPECT_EQ(client.receive(1, kSoon), "reset");
}

}  // namespace
}  // namespace gradmill::chaos
