// Life and limits of a Server.
#include "rpc/server.h"

#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::StrEq;
using testing::ThrowsMessage;

constexpr milliseconds kShort{150};

TEST(Server, QueuesConnectionsBeforeItStarts) {
  World world;
  Server server(options(), make_handlers(world));
  EXPECT_NE(server.port(), 0);
  auto call = std::async(std::launch::async, [&] { return hello(server, "echo"); });
  EXPECT_EQ(call.wait_for(milliseconds(20)), std::future_status::timeout);
  server.start();
  EXPECT_EQ(call.get(), "echo");
}

TEST(Server, SaysWhyItCannotListen) {
  World world;
  const Server server(options(), make_handlers(world));
  const auto listen_on = [&world](const Address& address) {
    return [&world, address] {
      ServerOptions there = options();
      there.address = address;
      const Server second(there, make_handlers(world));
    };
  };
  EXPECT_THAT(listen_on(address_of(server)),
              ThrowsMessage<Error>(StrEq("cannot listen on " + address_of(server).text() +
                                         ": address already in use")));
  EXPECT_THAT(
      listen_on({"192.0.2.1", 0}),
      ThrowsMessage<Error>(StrEq("cannot listen on 192.0.2.1:0: cannot assign requested address")));
  EXPECT_THAT(listen_on({"no-such-host.invalid", 0}),
              ThrowsMessage<Error>(HasSubstr("cannot listen on no-such-host.invalid:0: ")));
  EXPECT_THAT(listen_on({"", 0}), ThrowsMessage<Error>(HasSubstr("cannot listen on :0: ")));
}

TEST(Server, BindsOnlyTheGivenAddress) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  NodeConnection other({"127.0.0.2", server.port()});
  EXPECT_THAT([&] { hello(other, "echo"); }, ThrowsMessage<Error>(HasSubstr("connection refused")));
}

TEST(Server, ServesAgainOnThePortOfItsPredecessor) {
  World world;
  ServerOptions same = options();
  for (int i = 0; i < 3; ++i) {
    Server server(same, make_handlers(world));
    server.start();
    same.address.port = server.port();
    EXPECT_EQ(hello(server, "echo"), "echo");
  }
}

// What the log has said while this is there.
class LogText {
 public:
  LogText()
      : before_(spdlog::default_logger()),
        sink_(std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink_));
  }
  ~LogText() { spdlog::set_default_logger(before_); }
  LogText(const LogText&) = delete;
  LogText& operator=(const LogText&) = delete;
  // Only while nobody logs.
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
  std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_;
};

// What the log says of a peer that sends these bytes and, once it was refused or at once, leaves.
std::string said_of(const std::string& bytes, bool awaits_refusal) {
  const LogText log;
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  {
    RawPeer peer(address_of(server));
    peer.send(bytes);
    EXPECT_TRUE(!awaits_refusal || peer.closed_within(kAmple));
  }
  EXPECT_TRUE(eventually([&] { return server.clients() == 0; }));
  EXPECT_TRUE(server.stop());
  return log.text();
}

TEST(Server, WarnsOfWhatBreaksTheProtocol) {
  for (const std::string& bytes : {big_endian(0x7fffffff, 4),
                                   big_endian(0, 4),
                                   frame(std::string(40, 'x')),
                                   frame(hello_call("echo").substr(4) + "more")}) {
    // Other tests of this process may have had the lines of this second.
    EXPECT_TRUE(eventually([&] {
      return said_of(bytes, true).find("warning] refused 127.0.0.1:") != std::string::npos;
    }));
  }
}

TEST(Server, HasNoWarningOfPeersThatLeave) {
  const std::string call = hello_call("echo");
  for (const std::string& bytes : {std::string(), call.substr(0, 2), call.substr(0, 20), call}) {
    EXPECT_EQ(said_of(bytes, false), "") << bytes.size();
  }
}

TEST(Server, CutsAFrameThatComesByteByByte) {
  World world;
  ServerOptions strict = options();
  strict.frame_deadline = 2 * kShort;
  Server server(strict, make_handlers(world));
  server.start();
  RawPeer peer(address_of(server));
  peer.send(hello_call("echo"));
  peer.receive_frame();
  const auto start = steady_clock::now();
  for (const char byte : hello_call(std::string(10'000, 'x'))) {
    if (!peer.send({&byte, 1}) || peer.closed_within(milliseconds(10))) {
      break;
    }
  }
  EXPECT_THAT(steady_clock::now() - start, AllOf(Ge(2 * kShort), Le(20 * kShort)));
  EXPECT_EQ(world.calls, 1);
}

TEST(Server, CutsAConnectionThatSaysNothingAtFirst) {
  World world;
  ServerOptions strict = options();
  strict.frame_deadline = kShort;
  Server server(strict, make_handlers(world));
  server.start();
  RawPeer peer(address_of(server));
  EXPECT_TRUE(peer.closed_within(20 * kShort));
}

TEST(Server, CutsAPeerThatDoesNotReadItsAnswers) {
  World world;
  ServerOptions strict = options();
  strict.frame_deadline = kShort;
  Server server(strict, make_handlers(world));
  server.start();
  const std::string large = hello_call(std::string(kFrameBytesMax / 2, 'x'));
  RawPeer peer(address_of(server));
  while (peer.send(large)) {
  }
  EXPECT_TRUE(eventually([&] { return server.clients() == 0; }));
  EXPECT_EQ(hello(server, "echo"), "echo");
}

TEST(Server, ReturnsThreadsAndDescriptors) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  hello(server, "echo");
  ASSERT_TRUE(eventually([&] { return server.clients() == 0; }));
  const int threads = thread_count();
  const int descriptors = descriptor_count();
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(hello(server, "echo"), "echo");
  }
  {
    std::vector<RawPeer> peers;
    peers.reserve(100);
    for (int i = 0; i < 100; ++i) {
      peers.emplace_back(address_of(server));
    }
    ASSERT_TRUE(eventually([&] { return server.clients() == 100; }));
  }
  EXPECT_TRUE(eventually([&] {
    return thread_count() <= threads && descriptor_count() <= descriptors;
  })) << thread_count()
      << " threads, " << descriptor_count() << " descriptors";
}

TEST(ServerStop, ClosesIdleConnectionsAtOnce) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  std::vector<RawPeer> peers;
  for (int i = 0; i < 20; ++i) {
    peers.emplace_back(address_of(server));
    peers.back().send(hello_call("echo"));
    peers.back().receive_frame();
  }
  const auto start = steady_clock::now();
  EXPECT_TRUE(server.stop());
  EXPECT_LE(steady_clock::now() - start, milliseconds(1'500));
  for (RawPeer& peer : peers) {
    EXPECT_TRUE(peer.closed_within(kShort));
  }
}

TEST(ServerStop, LetsCallsFinishAndTakesNoMore) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  RawPeer peer(address_of(server));
  peer.send(hello_call("wait") + hello_call("echo"));
  world.gate.await_arrivals(1);
  auto stopped = std::async(std::launch::async, [&] { return server.stop(); });
  NodeConnection late(address_of(server));
  int before_the_stop = 0;
  ASSERT_TRUE(eventually([&] {
    try {
      hello(late, "echo", kShort);
      ++before_the_stop;
      return false;
    } catch (const Error&) {
      return true;
    }
  }));
  world.gate.open();
  EXPECT_THAT(peer.receive_frame(), HasSubstr("wait"));
  EXPECT_TRUE(stopped.get());
  EXPECT_EQ(world.calls, 1 + before_the_stop);
}

TEST(ServerStop, LeavesBehindAHandlerThatDoesNotEnd) {
  World world;
  ServerOptions brief = options();
  brief.drain_timeout = kShort;
  auto handlers = make_handlers(world);
  const std::weak_ptr<apache::thrift::TProcessorFactory> alive = handlers;
  auto server = std::make_unique<Server>(brief, std::move(handlers));
  server->start();
  auto call = std::async(std::launch::async, [address = address_of(*server)] {
    NodeConnection connection(address);
    return hello(connection, "wait");
  });
  world.gate.await_arrivals(1);
  const auto start = steady_clock::now();
  EXPECT_FALSE(server->stop());
  EXPECT_LE(steady_clock::now() - start, kShort + milliseconds(3'000));
  server.reset();
  EXPECT_FALSE(alive.expired());
  world.gate.open();
  EXPECT_EQ(call.get(), "wait");
  EXPECT_TRUE(eventually([&] { return alive.expired(); }));
}

TEST(ServerStop, CutsAPeerThatReadsNothing) {
  World world;
  ServerOptions brief = options();
  brief.drain_timeout = kShort;
  Server server(brief, make_handlers(world));
  server.start();
  RawPeer peer(address_of(server));
  auto sending = std::async(std::launch::async, [&peer] {
    const std::string large = hello_call(std::string(kFrameBytesMax / 2, 'x'));
    while (peer.send(large)) {
    }
  });
  ASSERT_TRUE(eventually([&] { return world.calls >= 1; }));
  const auto start = steady_clock::now();
  EXPECT_TRUE(server.stop());
  EXPECT_LE(steady_clock::now() - start, kShort + milliseconds(2'000));
}

TEST(ServerStop, MayComeFirstAndOften) {
  World world;
  Server never_started(options(), make_handlers(world));
  EXPECT_TRUE(never_started.stop());
  EXPECT_TRUE(never_started.stop());
  Server started_late(options(), make_handlers(world));
  EXPECT_TRUE(started_late.stop());
  started_late.start();
  EXPECT_TRUE(started_late.stop());
  EXPECT_TRUE(started_late.stop());
}

TEST(ServerStop, WorksAtTheLimitOfClients) {
  World world;
  ServerOptions small = options();
  small.clients_max = 1;
  Server server(small, make_handlers(world));
  server.start();
  NodeConnection connection(address_of(server));
  hello(connection, "echo");
  EXPECT_TRUE(server.stop());
}

}  // namespace
}  // namespace gradmill::rpc::test
