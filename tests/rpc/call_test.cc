// Calls between a server and connections that mean well.
#include <future>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include "base/error.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using testing::HasSubstr;
using testing::StrEq;
using testing::ThrowsMessage;

// Of a call of putBlob.
std::size_t message_bytes(const wire::PutBlobRequest& request) {
  const auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
  wire::NodeServiceClient client(
      std::make_shared<apache::thrift::protocol::TBinaryProtocol>(buffer));
  client.send_putBlob(request);
  return buffer->available_read();
}

class Call : public testing::Test {
 protected:
  Call() { server_.start(); }

  World world_;
  Server server_{options(), make_handlers(world_)};
  NodeConnection connection_{address_of(server_)};
};

TEST_F(Call, IsAnswered) { EXPECT_EQ(hello(connection_, "echo"), "echo"); }

TEST_F(Call, KeepsTheConnection) {
  for (int i = 0; i < 100; ++i) {
    hello(connection_, "echo");
  }
  EXPECT_EQ(world_.connections, 1);
  EXPECT_EQ(world_.calls, 100);
}

TEST_F(Call, RunsTheHookOnceForEachConnection) {
  int hooks = 0;
  NodeConnection connection(
      address_of(server_), {}, [&hooks](wire::NodeServiceClient&) { ++hooks; });
  hello(connection, "echo");
  hello(connection, "echo");
  EXPECT_EQ(hooks, 1);
  connection.drop();
  hello(connection, "echo");
  EXPECT_EQ(hooks, 2);
}

TEST_F(Call, OfAHookThatThrowsIsNotMade) {
  NodeConnection connection(address_of(server_), {}, [](wire::NodeServiceClient& client) {
    wire::HelloRequest request;
    request.program_version = "declared";
    wire::HelloResponse response;
    client.hello(response, request);
  });
  EXPECT_THROW(hello(connection, "echo"), wire::InvalidRequest);
  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(world_.calls, 1);
}

TEST_F(Call, PassesDeclaredExceptionsAndKeepsTheConnection) {
  try {
    hello(connection_, "declared");
    FAIL();
  } catch (const wire::InvalidRequest& error) {
    EXPECT_EQ(error.message, "as declared");
  }
  EXPECT_TRUE(connection_.is_open());
  hello(connection_, "echo");
  EXPECT_EQ(world_.connections, 1);
}

TEST_F(Call, PassesForeignExceptionsAndDropsTheConnection) {
  hello(connection_, "echo");
  EXPECT_THROW(connection_.call(kAmple, [](auto&) { throw std::logic_error("mine"); }),
               std::logic_error);
  EXPECT_FALSE(connection_.is_open());
}

// Thrift counts the bytes of all messages against the limit of one, unless told otherwise.
TEST_F(Call, MayCarryMoreThanAnyLimitInAllThroughOneConnection) {
  wire::PutBlobRequest put;
  put.data.assign(kBlobPieceBytesMax, 'x');
  wire::GetBlobRequest get;
  get.bytes_max = kBlobPieceBytesMax;
  for (int i = 0; i < 50; ++i) {
    connection_.call(kAmple, [&](wire::NodeServiceClient& client) {
      wire::PutBlobResponse stored;
      client.putBlob(stored, put);
      wire::GetBlobResponse fetched;
      client.getBlob(fetched, get);
      ASSERT_EQ(fetched.data.size(), put.data.size());
    });
  }
  for (int i = 0; i < 20'000; ++i) {  // Small messages fill the counter as well.
    hello(connection_, "echo");
  }
  EXPECT_EQ(world_.connections, 1);
}

TEST_F(Call, TakesTheLargestMessageAndNotOneByteMore) {
  const auto put = [this](std::size_t bytes) {
    return connection_.call(kAmple, [bytes](wire::NodeServiceClient& client) {
      wire::PutBlobRequest request;
      request.data.assign(bytes, 'x');
      wire::PutBlobResponse response;
      client.putBlob(response, request);
      return response.received;
    });
  };
  const std::size_t bytes = kFrameBytesMax - message_bytes({});
  EXPECT_EQ(put(bytes), static_cast<std::int64_t>(bytes));
  EXPECT_THAT(
      [&] { put(bytes + 1); },
      ThrowsMessage<Error>(StrEq(address_of(server_).text() + ": a message is larger than "
                                                              "8388608 bytes and was not sent")));
  EXPECT_FALSE(connection_.is_open());
  EXPECT_EQ(hello(connection_, "echo"), "echo");
}

TEST_F(Call, OfATooLargeAnswerFailsAlone) {
  EXPECT_THAT([&] { hello(connection_, "huge"); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  EXPECT_EQ(hello(connection_, "echo"), "echo");
}

TEST_F(Call, OfAFailingHandlerClosesTheConnectionAndTellsNothing) {
  for (const char* const behaviour : {"runtime_error", "int", "bad_alloc"}) {
    RawPeer peer(address_of(server_));
    peer.send(hello_call(behaviour));
    EXPECT_EQ(peer.finish(), "") << behaviour;
    NodeConnection connection(address_of(server_));
    EXPECT_THAT([&] { hello(connection, behaviour); },
                ThrowsMessage<Error>(
                    testing::StrEq(address_of(server_).text() + ": closed the connection")));
    EXPECT_EQ(hello(server_, "echo"), "echo");
  }
}

TEST_F(Call, OfAnUnknownMethodIsAnError) {
  EXPECT_THAT(
      [&] {
        connection_.call(kAmple, [](wire::NodeServiceClient& client) {
          auto& protocol = *client.getOutputProtocol();
          protocol.writeMessageBegin("nonsense", apache::thrift::protocol::T_CALL, 0);
          wire::NodeService_hello_args().write(&protocol);
          protocol.writeMessageEnd();
          protocol.getTransport()->flush();
          wire::HelloResponse response;
          client.recv_hello(response);
        });
      },
      ThrowsMessage<Error>(HasSubstr(": does not know the call")));
  EXPECT_EQ(hello(connection_, "echo"), "echo");
}

TEST_F(Call, IsIndependentOfOthers) {
  std::vector<std::future<int>> done;
  done.reserve(8);
  for (int thread = 0; thread < 8; ++thread) {
    done.push_back(std::async(std::launch::async, [this, thread] {
      NodeConnection connection(address_of(server_));
      int right = 0;
      for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(thread) + "." + std::to_string(i);
        right += hello(connection, text) == text ? 1 : 0;
      }
      return right;
    }));
  }
  for (auto& each : done) {
    EXPECT_EQ(each.get(), 100);
  }
}

}  // namespace
}  // namespace gradmill::rpc::test
