// What a Connection does when things go wrong.
#include "rpc/connection.h"

#include <signal.h>
#include <unistd.h>

#include <future>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/error.h"
#include "rpc/connect.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

constexpr milliseconds kShort{150};

// The error of a call to hello, and how long it took.
struct Failure {
  ErrorCode code;
  std::string message;
  milliseconds took;
  bool refused = false;
};

Failure failure_of(NodeConnection& connection,
                   const std::string& behaviour,
                   milliseconds deadline) {
  const auto start = std::chrono::steady_clock::now();
  try {
    hello(connection, behaviour, deadline);
  } catch (const Error& error) {
    return {error.code(),
            error.what(),
            std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start),
            dynamic_cast<const ConnectionRefused*>(&error) != nullptr};
  }
  return {ErrorCode::kFailed, "no failure", {}};
}

// A listener for which the kernel completes no more connections.
class FullListener {
 public:
  FullListener() {
    try {
      for (;;) {
        waiting_.emplace_back(connect_to(listener_.address(), kShort, nullptr));
      }
    } catch (const Error&) {  // Full.
    }
  }
  [[nodiscard]] Address address() const { return listener_.address(); }

 private:
  RawListener listener_{0};
  std::vector<RawPeer> waiting_;
};

TEST(Connection, SaysThatNobodyListens) {
  const Address nobody = RawListener().address();
  NodeConnection connection(nobody);
  const Failure failure = failure_of(connection, "echo", kAmple);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_EQ(failure.message, nobody.text() + ": connection refused");
  EXPECT_TRUE(failure.refused);
}

TEST(Connection, SaysThatNobodyListensAtAnyAddressOfAName) {
  NodeConnection connection({"localhost", RawListener().address().port});
  EXPECT_TRUE(failure_of(connection, "echo", kAmple).refused);
}

TEST(Connection, TellsASilentPeerFromOneThatIsGone) {
  RawListener silent;
  NodeConnection no_answer(silent.address());
  EXPECT_FALSE(failure_of(no_answer, "echo", kShort).refused);
  const FullListener full;
  NodeConnection no_connection(full.address(), {kShort});
  EXPECT_FALSE(failure_of(no_connection, "echo", kAmple).refused);
  NodeConnection no_host({"no-such-host.invalid", 1});
  EXPECT_FALSE(failure_of(no_host, "echo", kAmple).refused);
}

TEST(Connection, CountsBytesOverAllItsConnections) {
  RawListener listener;
  const std::string question = hello_call("echo");
  const std::string answer = hello_answer("x");
  const auto script = std::async(std::launch::async, [&] {
    for (int i = 0; i < 2; ++i) {
      RawPeer peer = listener.accept();
      EXPECT_EQ(peer.receive_frame().size(), question.size());
      peer.send(answer);
      EXPECT_TRUE(peer.closed_within(kAmple));
    }
  });
  NodeConnection connection(listener.address());
  EXPECT_EQ(connection.traffic().sent, 0U);
  for (const unsigned calls : {1U, 2U}) {
    hello(connection, "echo");
    connection.drop();
    EXPECT_EQ(connection.traffic().sent, calls * question.size());
    EXPECT_EQ(connection.traffic().received, calls * answer.size());
  }
}

TEST(Connection, SaysThatAHostIsUnknown) {
  NodeConnection connection({"no-such-host.invalid", 1});
  const Failure failure = failure_of(connection, "echo", kAmple);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_THAT(failure.message, testing::StartsWith("no-such-host.invalid:1: "));
  EXPECT_THAT(failure.message, testing::Not(HasSubstr("\n")));
}

TEST(Connection, FindsAHostByName) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  NodeConnection connection({"localhost", server.port()});
  EXPECT_EQ(hello(connection, "echo"), "echo");
}

TEST(Connection, BoundsConnecting) {
  const FullListener full;
  NodeConnection connection(full.address(), {kShort});
  const Failure failure = failure_of(connection, "echo", kAmple);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_EQ(failure.message, full.address().text() + ": no connection within 150 ms");
  EXPECT_THAT(failure.took, AllOf(Ge(kShort), Le(20 * kShort)));
}

TEST(Connection, CountsConnectingAsPartOfTheCall) {
  const FullListener full;
  NodeConnection connection(full.address());
  EXPECT_THAT(failure_of(connection, "echo", kShort).took, AllOf(Ge(kShort), Le(kConnectTimeout)));
}

TEST(Connection, WaitsForAnAnswerUntilTheDeadlineOnly) {
  RawListener silent;
  NodeConnection connection(silent.address());
  const Failure failure = failure_of(connection, "echo", kShort);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_EQ(failure.message, silent.address().text() + ": no answer within 150 ms");
  EXPECT_THAT(failure.took, AllOf(Ge(kShort), Le(20 * kShort)));
  EXPECT_FALSE(connection.is_open());
}

TEST(Connection, TimeInWhichThisProcessIsStoppedIsNotThePeers) {
  constexpr milliseconds kDeadline{1000};
  for (const bool answers : {true, false}) {
    RawListener listener;
    const pid_t caller = ::fork();
    if (caller == 0) {
      NodeConnection connection(listener.address());
      const Failure failure = failure_of(connection, "echo", kDeadline);
      ::_exit(failure.message == "no failure" ? 0 : failure.took < 2 * kDeadline ? 1 : 2);
    }
    RawPeer peer = listener.accept();
    EXPECT_EQ(peer.receive_frame(), hello_call("echo"));
    int status = 0;
    ::kill(caller, SIGSTOP);
    ASSERT_EQ(::waitpid(caller, &status, WUNTRACED), caller);
    std::this_thread::sleep_for(2 * kDeadline);  // Nothing tells that its time is up.
    if (answers) {
      peer.send(hello_answer("echo"));
    }
    ::kill(caller, SIGCONT);
    ASSERT_EQ(::waitpid(caller, &status, 0), caller);
    EXPECT_EQ(WEXITSTATUS(status), answers ? 0 : 2)
        << "a silent peer has its time anew, and no more";
  }
}

TEST(Connection, BoundsACallWhoseRequestNobodyReads) {
  RawListener silent;
  NodeConnection connection(silent.address());
  const Failure failure = failure_of(connection, std::string(kFrameBytesMax / 2, 'x'), kShort);
  EXPECT_EQ(failure.message, silent.address().text() + ": no answer within 150 ms");
}

TEST(Connection, NeverHandsALateAnswerToTheNextCall) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  NodeConnection connection(address_of(server));
  EXPECT_THAT(failure_of(connection, "wait", kShort).message, HasSubstr("no answer within"));
  world.gate.open();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(hello(connection, "mine"), "mine");
  }
}

TEST(Connection, SurvivesTheIdleTimeoutOfTheServer) {
  World world;
  ServerOptions impatient = options();
  impatient.idle_timeout = milliseconds(50);
  Server server(impatient, make_handlers(world));
  server.start();
  int hooks = 0;
  NodeConnection connection(address_of(server), {}, [&](wire::NodeServiceClient&) { ++hooks; });
  EXPECT_EQ(hello(connection, "echo"), "echo");
  ASSERT_TRUE(eventually([&] { return server.clients() == 0; }));
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(hello(connection, "echo"), "echo");
  EXPECT_EQ(world.connections, 2);
  EXPECT_EQ(world.calls, 2);
  EXPECT_EQ(hooks, 2);
}

// The server gives the connection up at the very moment of the call.
TEST(Connection, RetriesOnceWhenAnOldConnectionEndsBeforeTheAnswer) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&listener] {
    {
      RawPeer first = listener.accept();
      first.receive_frame();
      first.send(hello_answer("first"));
      first.receive_frame();
    }
    RawPeer second = listener.accept();
    second.receive_frame();
    second.send(hello_answer("second"));
  });
  NodeConnection connection(listener.address());
  EXPECT_EQ(hello(connection, "echo"), "first");
  EXPECT_EQ(hello(connection, "echo"), "second");
}

TEST(Connection, RetriesNoMoreThanOnce) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&listener] {
    {
      RawPeer first = listener.accept();
      first.receive_frame();
      first.send(hello_answer("first"));
      first.receive_frame();
    }
    listener.accept().receive_frame();
  });
  NodeConnection connection(listener.address());
  EXPECT_EQ(hello(connection, "echo"), "first");
  EXPECT_EQ(failure_of(connection, "echo", kAmple).message,
            listener.address().text() + ": closed the connection");
}

TEST(Connection, DoesNotRetryOnANewConnection) {
  RawListener listener;
  const auto script =
      std::async(std::launch::async, [&listener] { listener.accept().receive_frame(); });
  NodeConnection connection(listener.address());
  EXPECT_EQ(failure_of(connection, "echo", kAmple).message,
            listener.address().text() + ": closed the connection");
}

TEST(Connection, BlamesNoTlsOnceThePeerHasAnswered) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&listener] {
    {
      RawPeer first = listener.accept();
      first.receive_frame();
      first.send(hello_answer("hook"));
      first.receive_frame();
      first.send(hello_answer("first"));
    }
    listener.accept();
  });
  NodeConnection connection(listener.address(), {}, [](wire::NodeServiceClient& client) {
    wire::HelloResponse response;
    client.hello(response, {});
  });
  EXPECT_EQ(hello(connection, "echo"), "first");
  EXPECT_EQ(failure_of(connection, "echo", kAmple).message,
            listener.address().text() + ": closed the connection");
}

TEST(Connection, DoesNotRetryOnceAnAnswerHasBegun) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&listener] {
    RawPeer peer = listener.accept();
    peer.receive_frame();
    peer.send(hello_answer("first"));
    peer.receive_frame();
    peer.send(hello_answer("second").substr(0, 1));
  });
  NodeConnection connection(listener.address());
  EXPECT_EQ(hello(connection, "echo"), "first");
  EXPECT_EQ(failure_of(connection, "echo", kAmple).message,
            listener.address().text() + ": closed the connection");
}

TEST(Connection, SaysThatARestartedServerIsGone) {
  World world;
  auto server = std::make_unique<Server>(options(), make_handlers(world));
  server->start();
  NodeConnection connection(address_of(*server));
  hello(connection, "echo");
  server.reset();
  const Failure failure = failure_of(connection, "echo", kAmple);
  EXPECT_EQ(failure.message, connection.address().text() + ": connection refused");
  EXPECT_TRUE(failure.refused);
}

TEST(ConnectionInterrupt, EndsTheCallInProgressAndAllLaterOnes) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  NodeConnection connection(address_of(server));
  auto call =
      std::async(std::launch::async, [&] { return failure_of(connection, "wait", kAmple); });
  world.gate.await_arrivals(1);
  connection.interrupt();
  for (const Failure& failure : {call.get(), failure_of(connection, "echo", kAmple)}) {
    EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
    EXPECT_EQ(failure.message, connection.address().text() + ": the call was interrupted");
    EXPECT_LE(failure.took, milliseconds(5'000));
  }
  world.gate.open();
}

TEST(ConnectionInterrupt, EndsConnecting) {
  const FullListener full;
  NodeConnection connection(full.address(), {kAmple});
  auto call =
      std::async(std::launch::async, [&] { return failure_of(connection, "echo", kAmple); });
  EXPECT_EQ(call.wait_for(milliseconds(30)), std::future_status::timeout);
  connection.interrupt();
  EXPECT_EQ(call.get().code, ErrorCode::kUnavailable);
}

TEST(ConnectionInterrupt, MayBeSharedByManyConnections) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  const auto interrupt = std::make_shared<Interrupt>();
  std::vector<std::future<Failure>> calls;
  calls.reserve(4);
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::async(std::launch::async, [&] {
      NodeConnection connection(address_of(server), {kConnectTimeout, interrupt});
      return failure_of(connection, "wait", kAmple);
    }));
  }
  world.gate.await_arrivals(4);
  interrupt->trigger();
  for (auto& call : calls) {
    EXPECT_EQ(call.get().code, ErrorCode::kUnavailable);
  }
  world.gate.open();
}

}  // namespace
}  // namespace gradmill::rpc::test
