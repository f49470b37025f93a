#include "compute_node/adapter/thrift_join_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <wire/CoordinatorService.h>
#include <wire/common_constants.h>

#include "base/error.h"
#include "rpc/server.h"

namespace gradmill::node {
namespace {

/// What the coordinator answers, and what it was asked.
struct Script {
  wire::JoinResponse response;
  std::int32_t version = wire::g_common_constants.PROTOCOL_VERSION;
  wire::Role::type role = wire::Role::COORDINATOR;
  bool invalid = false;
  wire::JoinRequest request;
  wire::HelloRequest hello;
};

class Handler final : public wire::CoordinatorServiceNull {
 public:
  explicit Handler(Script& script) : script_(script) {}
  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    script_.hello = request;
    response.protocol_version = script_.version;
    response.role = script_.role;
  }
  void join(wire::JoinResponse& response, const wire::JoinRequest& request) override {
    script_.request = request;
    if (script_.invalid) {
      wire::InvalidRequest invalid;
      invalid.message = "no such port";
      throw invalid;
    }
    response = script_.response;
  }

 private:
  Script& script_;
};

class Processors final : public apache::thrift::TProcessorFactory {
 public:
  explicit Processors(Script& script) : script_(script) {}
  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& /*connection*/) override {
    return std::make_shared<wire::CoordinatorServiceProcessor>(std::make_shared<Handler>(script_));
  }

 private:
  Script& script_;
};

class ThriftJoinLinkTest : public testing::Test {
 protected:
  ThriftJoinLinkTest() : server_(options(), std::make_shared<Processors>(script_)) {
    server_.start();
    link_ = make_thrift_join_links()({"127.0.0.1", server_.port()});
  }
  static rpc::ServerOptions options() {
    rpc::ServerOptions options;
    options.name = "coordinator";
    options.address = {"127.0.0.1", 0};
    return options;
  }
  JoinAnswer join() { return link_->join(announcement_); }
  std::string error(ErrorCode code) {
    try {
      static_cast<void>(join());
    } catch (const Error& caught) {
      EXPECT_EQ(caught.code(), code);
      EXPECT_THAT(caught.what(),
                  testing::StartsWith("127.0.0.1:" + std::to_string(server_.port()) + ": "));
      return caught.what();
    }
    return "no error";
  }

  Script script_;
  rpc::Server server_;
  const Announcement announcement_{Address{"node", 7}, "start"};
  std::unique_ptr<JoinLink> link_;
};

TEST_F(ThriftJoinLinkTest, SaysHelloAsANodeAndPassesTheAnswerOn) {
  script_.response.accepted = true;
  script_.response.coordinator_id = "c";
  const JoinAnswer answer = join();
  EXPECT_TRUE(answer.accepted);
  EXPECT_EQ(answer.coordinator, "c");
  EXPECT_EQ(script_.hello.role, wire::Role::NODE);
  EXPECT_EQ(script_.request.host, "node");
  EXPECT_EQ(script_.request.port, 7);
  EXPECT_EQ(script_.request.incarnation, "start");
}

TEST_F(ThriftJoinLinkTest, ARefusalIsNoError) {
  script_.response.message = std::string(1000, 'x');
  const JoinAnswer answer = join();
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.message, std::string(240, 'x'));
}

TEST_F(ThriftJoinLinkTest, ErrorsNameTheCoordinator) {
  script_.response.accepted = true;
  EXPECT_THAT(error(ErrorCode::kUnreachable), testing::HasSubstr("without an id"));
  script_.invalid = true;
  EXPECT_THAT(error(ErrorCode::kInvalidInput), testing::HasSubstr("no such port"));
  script_.role = wire::Role::NODE;
  EXPECT_THAT(error(ErrorCode::kUnreachable), testing::HasSubstr("is no coordinator"));
  script_.version += 1;
  EXPECT_THAT(error(ErrorCode::kInvalidInput), testing::HasSubstr("speaks protocol version"));
  static_cast<void>(server_.stop());
  EXPECT_THAT(error(ErrorCode::kUnreachable), testing::HasSubstr("connection refused"));
}

}  // namespace
}  // namespace gradmill::node
