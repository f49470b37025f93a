// Calls that a server fails on purpose.
#include "rpc/call_faults.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class CallFaultsTest : public testing::Test {
 protected:
  CallFaultsTest() { server_.start(); }

  ServerOptions faulty() {
    ServerOptions with = options();
    with.faults.admit = [this](std::string_view method) {
      methods_.emplace_back(method);
      return admits_.load();
    };
    with.faults.answer = [this](std::string_view /*method*/) { return answers_.load(); };
    return with;
  }

  World world_;
  std::vector<std::string> methods_;
  std::atomic<bool> admits_ = true;
  std::atomic<bool> answers_ = true;
  Server server_{faulty(), make_handlers(world_)};
};

TEST_F(CallFaultsTest, ACallPassesThatNothingStrikes) {
  EXPECT_EQ(hello(server_, "echo"), "echo");
  EXPECT_EQ(methods_, std::vector<std::string>{"hello"});
}

TEST_F(CallFaultsTest, ADroppedRequestIsNotExecutedAndEndsTheConnection) {
  admits_ = false;
  EXPECT_THAT([&] { hello(server_, "echo"); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  EXPECT_EQ(world_.calls, 0);
  admits_ = true;
  EXPECT_EQ(hello(server_, "echo"), "echo");
}

TEST_F(CallFaultsTest, ADroppedReplyIsThatOfACallThatWasExecuted) {
  answers_ = false;
  EXPECT_THAT([&] { hello(server_, "echo"); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  EXPECT_EQ(world_.calls, 1);
  EXPECT_THAT([&] { hello(server_, "declared"); },
              ThrowsMessage<Error>(HasSubstr("closed the connection")));
  answers_ = true;
  EXPECT_EQ(hello(server_, "echo"), "echo");
}

}  // namespace
}  // namespace gradmill::rpc::test
