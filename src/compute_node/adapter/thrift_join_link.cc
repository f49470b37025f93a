#include "compute_node/adapter/thrift_join_link.h"

#include <chrono>

#include <wire/CoordinatorService.h>
#include <wire/common_constants.h>

#include "rpc/connection.h"
#include "wire/wire_convert.h"

namespace gradmill::node {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{1000};
constexpr std::chrono::milliseconds kCallDeadline{3000};
constexpr std::size_t kMessageBytesMax = 240;

class ThriftJoinLink final : public JoinLink {
 public:
  ThriftJoinLink(const Address& coordinator, const rpc::ClientTls& tls)
      : connection_(coordinator,
                    rpc::ConnectionOptions{.connect_timeout = kConnectTimeout, .tls = tls},
                    [this](wire::CoordinatorServiceClient& client) { say_hello(client); }) {}

  JoinAnswer join(const Announcement& announcement) override {
    wire::JoinRequest request;
    request.host = announcement.address.host;
    request.port = announcement.address.port;
    request.incarnation = announcement.incarnation;
    wire::JoinResponse response;
    wire::untranslate(connection_.address().text() + ": ", [&] { call(request, response); });
    if (response.accepted && response.coordinator_id.empty()) {
      throw unreachable("accepts the node without an id of its own");
    }
    return {.accepted = response.accepted,
            .message = response.message.substr(0, kMessageBytesMax),
            .coordinator = response.coordinator_id};
  }

  void interrupt() override { connection_.interrupt(); }

 private:
  void call(const wire::JoinRequest& request, wire::JoinResponse& response) {
    try {
      connection_.call(kCallDeadline, [&](auto& client) { client.join(response, request); });
    } catch (...) {
      connection_.drop();
      throw;
    }
    // An idle connection would take up one of those that the coordinator serves.
    connection_.drop();
  }

  [[nodiscard]] Error unreachable(const std::string& why) const {
    return {ErrorCode::kUnreachable, connection_.address().text() + ": " + why};
  }

  void say_hello(wire::CoordinatorServiceClient& client) {
    wire::HelloRequest request;
    request.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
    request.role = wire::Role::NODE;
    request.program_version = GRADMILL_VERSION;
    wire::HelloResponse response;
    client.hello(response, request);
    wire::check_version(response.protocol_version,
                        connection_.address().text() + ": the coordinator");
    if (response.role != wire::Role::COORDINATOR) {
      throw unreachable("is no coordinator");
    }
  }

  rpc::Connection<wire::CoordinatorServiceClient> connection_;
};

}  // namespace

JoinLinkFactory make_thrift_join_links(const rpc::ClientTls& tls) {
  return [tls](const Address& coordinator) {
    return std::make_unique<ThriftJoinLink>(coordinator, tls);
  };
}

}  // namespace gradmill::node
