#include "coordinator/adapter/thrift_node_link.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <wire/NodeService.h>
#include <wire/common_constants.h>

#include "base/error.h"
#include "rpc/server.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;

/// What the peer does.
struct Script {
  wire::Role::type role = wire::Role::NODE;
  bool silent = false;
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
};

class Handler final : public wire::NodeServiceNull {
 public:
  explicit Handler(Script& script) : script_(script) {}
  void hello(wire::HelloResponse& response, const wire::HelloRequest& /*request*/) override {
    response.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
    response.role = script_.role;
    response.slots = 1;
  }
  void heartbeat(wire::HeartbeatResponse& /*response*/,
                 const wire::HeartbeatRequest& /*request*/) override {
    std::unique_lock lock(script_.mutex);
    script_.ended.wait(lock, [this] { return !script_.silent || script_.over; });
  }

 private:
  Script& script_;
};

class Processors final : public apache::thrift::TProcessorFactory {
 public:
  explicit Processors(Script& script) : script_(script) {}
  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& /*connection*/) override {
    return std::make_shared<wire::NodeServiceProcessor>(std::make_shared<Handler>(script_));
  }

 private:
  Script& script_;
};

class ThriftNodeLinkTest : public testing::Test {
 protected:
  ThriftNodeLinkTest() { server_.start(); }
  ~ThriftNodeLinkTest() override {
    {
      const std::lock_guard lock(script_.mutex);
      script_.over = true;
    }
    script_.ended.notify_all();
  }
  static rpc::ServerOptions options() {
    rpc::ServerOptions options;
    options.name = "compute_node";
    options.address = {"127.0.0.1", 0};
    return options;
  }
  /// What is wrong with a heartbeat; empty if nothing is.
  std::string trouble() {
    const std::unique_ptr<NodeLink> link =
        make_thrift_node_links({}, kDeadline).for_tasks(address_);
    const auto start = std::chrono::steady_clock::now();
    std::string trouble;
    try {
      static_cast<void>(link->heartbeat({}));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnreachable);
      refused_ = dynamic_cast<const ConnectionRefused*>(&error) != nullptr;
      trouble = error.what();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, kHeartbeatDeadlineMax);
    return trouble;
  }

  static constexpr milliseconds kDeadline{150};
  Script script_;
  rpc::Server server_{options(), std::make_shared<Processors>(script_)};
  Address address_{"127.0.0.1", server_.port()};
  bool refused_ = false;
};

TEST_F(ThriftNodeLinkTest, AHeartbeatHasTheTimeThatTheLinkIsGiven) {
  EXPECT_EQ(trouble(), "");
  script_.silent = true;
  EXPECT_EQ(trouble(), "no answer within 150 ms") << "without the address";
}

TEST_F(ThriftNodeLinkTest, TellsNobodyAndOthersFromANode) {
  script_.role = wire::Role::COORDINATOR;
  EXPECT_EQ(trouble(), "is no compute node");
  EXPECT_FALSE(refused_);
  static_cast<void>(server_.stop());
  EXPECT_EQ(trouble(), "connection refused");
  EXPECT_TRUE(refused_);
}

}  // namespace
}  // namespace gradmill::coordinator
