// What a server does when there is no room: for one more connection, or for one more large message.
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_budget.h"
#include "base/error.h"
#include "rpc/idleness.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr milliseconds kShort{150};

class Room : public testing::Test {
 protected:
  void start(const ServerOptions& options) {
    server_ = std::make_unique<Server>(options, make_handlers(world_));
    server_->start();
  }
  void start_for(int clients) {
    ServerOptions small = options();
    small.clients_max = clients;
    start(small);
  }
  [[nodiscard]] NodeConnection connection() const { return NodeConnection(address_of(*server_)); }
  [[nodiscard]] RawPeer peer_in_a_call() {
    RawPeer peer(address_of(*server_));
    peer.send(hello_call("wait"));
    world_.gate.await_arrivals(++in_calls_);
    return peer;
  }

  World world_;
  std::unique_ptr<Server> server_;
  int in_calls_ = 0;
};

TEST_F(Room, IsMadeByTheConnectionThatIsIdleForLongest) {
  start_for(2);
  RawPeer first(address_of(*server_));
  first.send(hello_call("echo"));
  first.receive_frame();
  RawPeer second(address_of(*server_));
  second.send(hello_call("echo"));
  second.receive_frame();
  std::this_thread::sleep_for(kShort);  // The server's threads see the ends of calls in any order.
  first.send(hello_call("echo"));
  first.receive_frame();
  EXPECT_EQ(hello(*server_, "echo"), "echo");
  EXPECT_TRUE(second.closed_within(kAmple));
  first.send(hello_call("echo"));
  EXPECT_THAT(first.receive_frame(), HasSubstr("echo"));
}

/// Makes processors that stop at a gate after each call, as threads do that do not get to run.
class Lingering final : public apache::thrift::TProcessorFactory {
 public:
  explicit Lingering(World& world) : handlers_(make_handlers(world)), gate_(world.gate) {}
  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& connection) override {
    return std::make_shared<Processor>(handlers_->getProcessor(connection), gate_);
  }

 private:
  class Processor final : public apache::thrift::TProcessor {
   public:
    Processor(std::shared_ptr<apache::thrift::TProcessor> inner, Gate& gate)
        : inner_(std::move(inner)), gate_(gate) {}
    bool process(std::shared_ptr<apache::thrift::protocol::TProtocol> in,
                 std::shared_ptr<apache::thrift::protocol::TProtocol> out,
                 void* context) override {
      const bool goes_on = inner_->process(std::move(in), std::move(out), context);
      gate_.pass();
      return goes_on;
    }

   private:
    std::shared_ptr<apache::thrift::TProcessor> inner_;
    Gate& gate_;
  };
  std::shared_ptr<apache::thrift::TProcessorFactory> handlers_;
  Gate& gate_;
};

TEST_F(Room, IsMadeByAConnectionAsSoonAsItHasItsAnswer) {
  ServerOptions small = options();
  small.clients_max = 1;
  server_ = std::make_unique<Server>(small, std::make_shared<Lingering>(world_));
  server_->start();
  RawPeer first(address_of(*server_));
  first.send(hello_call("echo"));
  EXPECT_THAT(first.receive_frame(), HasSubstr("echo"));
  RawPeer second(address_of(*server_));
  second.send(hello_call("echo"));
  EXPECT_TRUE(first.closed_within(kAmple));
  world_.gate.open();
  EXPECT_THAT(second.receive_frame(), HasSubstr("echo"));
}

TEST_F(Room, CostsAClientThatWasIdleNothing) {
  start_for(2);
  NodeConnection first = connection();
  NodeConnection second = connection();
  NodeConnection third = connection();
  for (int i = 0; i < 10; ++i) {
    for (NodeConnection* each : {&first, &second, &third}) {
      EXPECT_EQ(hello(*each, "echo"), "echo");
      EXPECT_LE(server_->clients(), 2);
    }
  }
}

TEST_F(Room, IsNotMadeByCallsInProgressAndTheNewConnectionEndsAtOnce) {
  start_for(2);
  RawPeer first = peer_in_a_call();
  RawPeer second = peer_in_a_call();
  NodeConnection third = connection();
  const auto start = steady_clock::now();
  EXPECT_THAT([&] { hello(third, "echo"); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  EXPECT_LE(steady_clock::now() - start, milliseconds(2'000));
  world_.gate.open();
  EXPECT_THAT(first.receive_frame(), HasSubstr("wait"));
  EXPECT_THAT(second.receive_frame(), HasSubstr("wait"));
  EXPECT_EQ(hello(third, "echo"), "echo");
}

TEST_F(Room, IsMadeByThoseWhoSayNothingOrNotEnough) {
  start_for(2);
  RawPeer silent(address_of(*server_));
  RawPeer slow(address_of(*server_));
  slow.send(hello_call("echo").substr(0, 7));
  ASSERT_TRUE(eventually([&] { return server_->clients() == 2; }));
  NodeConnection third = connection();
  NodeConnection fourth = connection();
  EXPECT_EQ(hello(third, "echo"), "echo");
  EXPECT_EQ(hello(fourth, "echo"), "echo");
  EXPECT_TRUE(silent.closed_within(kAmple));
  EXPECT_TRUE(slow.closed_within(kAmple));
}

TEST_F(Room, IsMadeByAMessageThatComesTooSlowly) {
  start_for(1);
  RawPeer slow(address_of(*server_));
  slow.send(hello_call("echo"));
  slow.receive_frame();
  slow.send(hello_call("echo").substr(0, 7));
  NodeConnection other = connection();
  EXPECT_TRUE(eventually([&] {
    try {
      return hello(other, "echo") == "echo";
    } catch (const Error&) {  // It is given some patience.
      return false;
    }
  }));
  EXPECT_TRUE(slow.closed_within(kAmple));
}

TEST_F(Room, IsNotMadeBySomeoneWhoHasBeenGivenUp) {
  Idleness idleness;
  const auto since = idleness.since();
  ASSERT_TRUE(since);
  EXPECT_FALSE(idleness.give_up(*since - milliseconds(1)));
  EXPECT_TRUE(idleness.give_up(*since));
  EXPECT_FALSE(idleness.since());
  EXPECT_FALSE(idleness.end());
  idleness.begin(steady_clock::now());
  EXPECT_FALSE(idleness.since());
  EXPECT_FALSE(idleness.give_up(*since));
}

TEST_F(Room, ForLargeMessagesIsSharedAndSmallOnesNeedNone) {
  ServerOptions tight = options();
  tight.message_bytes_max = 4 << 20;
  tight.frame_deadline = 4 * kShort;
  start(tight);
  const std::string large = hello_call(std::string(1 << 20, 'x'));
  RawPeer holder(address_of(*server_));
  RawPeer other(address_of(*server_));
  for (RawPeer* peer : {&holder, &other}) {
    peer->send(large.substr(0, large.size() - 1));
  }
  const std::string huge(3 << 20, 'x');
  EXPECT_THAT([&] { hello(*server_, huge); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  EXPECT_EQ(hello(*server_, "echo"), "echo");
  EXPECT_TRUE(holder.closed_within(kAmple));
  EXPECT_TRUE(other.closed_within(kAmple));
  EXPECT_EQ(hello(*server_, "echo"), "echo");
  const std::string half(500'000, 'x');
  EXPECT_EQ(hello(*server_, half), half);
}

TEST_F(Room, ForLargeMessagesComesBackAfterEachCall) {
  ServerOptions tight = options();
  tight.message_bytes_max = 8 << 20;
  start(tight);
  const std::string large(1 << 20, 'x');
  const auto budget = std::make_shared<ByteBudget>(8 << 20);
  std::vector<std::unique_ptr<NodeConnection>> idle;
  for (int i = 0; i < 20; ++i) {
    ConnectionOptions shared;
    shared.budget = budget;
    idle.push_back(std::make_unique<NodeConnection>(address_of(*server_), std::move(shared)));
    EXPECT_EQ(hello(*idle.back(), large), large);
    EXPECT_EQ(budget->taken(), 0U);
  }
}

TEST_F(Room, ForAnswersIsBoundedOnTheSideOfTheClientToo) {
  start(options());
  ConnectionOptions shared;
  shared.budget = std::make_shared<ByteBudget>(1 << 20);
  NodeConnection client(address_of(*server_), std::move(shared));
  EXPECT_THAT([&] { hello(client, std::string(1 << 20, 'x'), kShort); },
              ThrowsMessage<Error>(HasSubstr("no room for a message")));
  EXPECT_EQ(hello(client, "echo"), "echo");
}

TEST_F(Room, IsNotWaitedForWhenTheServerStops) {
  ServerOptions tight = options();
  tight.message_bytes_max = 1 << 20;
  tight.frame_deadline = kAmple;
  tight.drain_timeout = kShort;
  start(tight);
  RawPeer peer(address_of(*server_));
  peer.send(hello_call(std::string(1 << 20, 'x')).substr(0, 1 << 18));
  ASSERT_TRUE(eventually([&] { return server_->clients() == 1; }));
  const auto start = steady_clock::now();
  EXPECT_TRUE(server_->stop());
  EXPECT_LE(steady_clock::now() - start, kShort + milliseconds(2'000));
}

}  // namespace
}  // namespace gradmill::rpc::test
