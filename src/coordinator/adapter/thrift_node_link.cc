#include "coordinator/adapter/thrift_node_link.h"

#include <algorithm>
#include <utility>

#include <wire/NodeService.h>
#include <wire/common_constants.h>

#include "rpc/blob_transfer.h"
#include "rpc/connection.h"
#include "wire/fault_convert.h"
#include "wire/prediction_convert.h"
#include "wire/task_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::coordinator {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{1000};
constexpr std::chrono::milliseconds kFaultsDeadline{2000};
// Beyond the time that the call itself may wait.
constexpr std::chrono::milliseconds kCallMargin{3000};
constexpr std::chrono::milliseconds kPieceDeadline{10'000};
constexpr std::size_t kNameBytesMax = 128;
// A row is back from a node of this machine within a hundred microseconds or so.
constexpr std::chrono::microseconds kPredictionSpin{100};

class ThriftNodeLink final : public NodeLink {
 private:
  /// After an answer that makes no sense the connection goes, as after any other error.
  template <class F>
  auto checked(const F& f) {
    try {
      return f();
    } catch (const Error&) {
      connection_.drop();
      throw;
    }
  }

 public:
  ThriftNodeLink(const Address& address,
                 Fence fence,
                 std::chrono::milliseconds heartbeat_deadline,
                 const rpc::ConnectionOptions& connection)
      : fence_(std::move(fence)),
        heartbeat_deadline_(heartbeat_deadline),
        connection_(
            address, connection, [this](wire::NodeServiceClient& client) { say_hello(client); }) {
    predict_request_.fence = wire::to_wire(fence_);
  }

  NodeBeat heartbeat(std::span<const std::string> live_jobs) override {
    wire::HeartbeatRequest request;
    request.fence = wire::to_wire(fence_);
    request.live_jobs.assign(live_jobs.begin(), live_jobs.end());
    wire::HeartbeatResponse response;
    call(heartbeat_deadline_, [&](auto& client) { client.heartbeat(response, request); });
    return checked([&] {
      if (response.incarnation != hello_.incarnation) {
        throw Error(ErrorCode::kUnreachable, "its heartbeat and its hello name different starts");
      }
      if (response.uptime_ms < 0) {
        throw Error(ErrorCode::kUnreachable, "its uptime is negative");
      }
      return NodeBeat{.hello = hello_,
                      .leaving = response.leaving,
                      .uptime = std::chrono::milliseconds(response.uptime_ms)};
    });
  }

  TaskAnswer run_task(const TaskOffer& offer,
                      const Enclosure& enclosed,
                      std::chrono::milliseconds wait) override {
    wire::RunTaskRequest request;
    request.fence = wire::to_wire(fence_);
    request.task = wire::to_wire(offer.id);
    request.job_digest = wire::to_wire(offer.job_digest);
    if (offer.rows) {
      request.__isset.batch = true;
      request.batch.first_row = static_cast<std::int64_t>(offer.rows->first);
      wire::fill_rows(request.batch.rows, {&enclosed.rows.value(), 1});
    } else {
      request.rule = wire::to_wire(offer.job->rule);
      request.rounds = static_cast<std::int32_t>(offer.job->rounds);
    }
    request.weights = wire::to_wire(offer.weights.ref);
    request.shard = wire::to_wire(offer.shard);
    request.load_rule = wire::to_wire(offer.load_rule);
    request.wait_ms = static_cast<std::int32_t>(wait.count());
    if (enclosed.weights) {
      request.__set_weights_data(*offer.weights.bytes);
    }
    wire::TaskResponse response;
    call(wait + kCallMargin, [&](auto& client) { client.runTask(response, request); });
    return checked([&] { return wire::answer_from(std::move(response)); });
  }

  TaskAnswer poll_task(const TaskId& task, std::chrono::milliseconds wait) override {
    wire::PollTaskRequest request;
    request.fence = wire::to_wire(fence_);
    request.task = wire::to_wire(task);
    request.wait_ms = static_cast<std::int32_t>(wait.count());
    wire::TaskResponse response;
    call(wait + kCallMargin, [&](auto& client) { client.pollTask(response, request); });
    return checked([&] { return wire::answer_from(std::move(response)); });
  }

  void cancel_task(const TaskId& task) override {
    wire::CancelTaskRequest request;
    request.fence = wire::to_wire(fence_);
    request.task = wire::to_wire(task);
    wire::CancelTaskResponse response;
    call(kCallMargin, [&](auto& client) { client.cancelTask(response, request); });
  }

  void put_blob(const Blob& blob) override {
    put(blob, [](auto& client, auto& response, const auto& request) {
      client.putBlob(response, request);
    });
  }

  void put_model(const Blob& file) override {
    put(file, [](auto& client, auto& response, const auto& request) {
      client.putModel(response, request);
    });
  }

  std::optional<RowPredictions> predict(const Digest& model,
                                        std::span<const RawRows> parts,
                                        std::chrono::milliseconds deadline) override {
    predict_request_.model = wire::to_wire(model);
    wire::fill_rows(predict_request_.rows, parts);
    wire::PredictRowsResponse response;
    call(deadline, [&](auto& client) { client.predictRows(response, predict_request_); });
    return checked([&] {
      return response.missing ? std::nullopt
                              : std::optional(wire::predictions_from(std::move(response)));
    });
  }

  Blob get_blob(const BlobRef& blob) override {
    return checked([&] {
      return rpc::receive_pieces(blob, blob.bytes, [&](std::uint64_t offset, std::int32_t max) {
        wire::GetBlobRequest request;
        request.blob = wire::to_wire(blob);
        request.offset = static_cast<std::int64_t>(offset);
        request.bytes_max = max;
        request.fence = wire::to_wire(fence_);
        wire::GetBlobResponse response;
        call(kPieceDeadline, [&](auto& client) { client.getBlob(response, request); });
        if (response.digest != request.blob.digest || response.offset != request.offset) {
          throw Error(ErrorCode::kFailed, "answered for another blob");
        }
        return std::move(response.data);
      });
    });
  }

  std::optional<FaultState> set_faults(const FaultSettings& faults) override {
    wire::SetNodeFaultsRequest request;
    request.faults = wire::to_wire(faults);
    wire::SetNodeFaultsResponse response;
    call(kFaultsDeadline, [&](auto& client) { client.setFaults(response, request); });
    return fault_state(response);
  }

  std::optional<FaultState> faults() override {
    wire::GetNodeFaultsResponse response;
    call(kFaultsDeadline, [&](auto& client) { client.getFaults(response, {}); });
    return fault_state(response);
  }

  void interrupt() override { connection_.interrupt(); }

  [[nodiscard]] LinkBytes bytes() const override {
    const rpc::Traffic& traffic = connection_.traffic();
    return {traffic.sent.load(std::memory_order_relaxed),
            traffic.received.load(std::memory_order_relaxed)};
  }

 private:
  void say_hello(wire::NodeServiceClient& client) {
    wire::HelloRequest request;
    request.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
    request.role = wire::Role::COORDINATOR;
    request.program_version = GRADMILL_VERSION;
    wire::HelloResponse response;
    wire::untranslate("", [&] { client.hello(response, request); });
    wire::check_version(response.protocol_version, "the node");
    if (response.role != wire::Role::NODE) {
      throw Error(ErrorCode::kUnreachable, "is no compute node");
    }
    if (std::max(response.incarnation.size(), response.kernel_id.size()) > kNameBytesMax) {
      throw Error(ErrorCode::kUnreachable, "names itself at too great a length");
    }
    hello_ = {.incarnation = response.incarnation,
              .kernel_id = response.kernel_id,
              .slots = wire::unsigned_from<std::uint32_t>(response.slots, "the number of slots")};
  }

  /// Sends a blob in pieces, each by `send`.
  template <class Send>
  void put(const Blob& blob, const Send& send) {
    checked([&] {
      rpc::send_pieces(blob, [&](std::uint64_t offset, std::string piece) {
        wire::PutBlobRequest request;
        request.blob = wire::to_wire(blob.ref);
        request.offset = static_cast<std::int64_t>(offset);
        request.data = std::move(piece);
        request.fence = wire::to_wire(fence_);
        wire::PutBlobResponse response;
        call(kPieceDeadline, [&](auto& client) { send(client, response, request); });
        return response.received;
      });
    });
  }

  template <class Response>
  std::optional<FaultState> fault_state(const Response& response) {
    return checked([&] {
      return response.enabled ? std::optional(wire::fault_state_from(response.state))
                              : std::nullopt;
    });
  }

  template <class F>
  void call(std::chrono::milliseconds deadline, const F& f) {
    try {
      wire::untranslate("", [&] { connection_.call(deadline, f); });
    } catch (const ConnectionRefused& error) {
      throw ConnectionRefused(without_address(error.what()));
    } catch (const Error& error) {
      throw Error(error.code(), without_address(error.what()));
    }
  }

  /// Whoever reports an error of a node names the node.
  [[nodiscard]] std::string without_address(const std::string& message) const {
    const std::string address = connection_.address().text() + ": ";
    return message.starts_with(address) ? message.substr(address.size()) : message;
  }

  const Fence fence_;
  const std::chrono::milliseconds heartbeat_deadline_;
  NodeHello hello_;
  wire::PredictRowsRequest predict_request_;  // keeps its memory from call to call
  rpc::Connection<wire::NodeServiceClient> connection_;
};

}  // namespace

NodeLinkFactories make_thrift_node_links(const Fence& fence,
                                         std::chrono::milliseconds heartbeat_deadline,
                                         const rpc::ClientTls& tls) {
  const auto factory = [&](const rpc::ConnectionOptions& connection) {
    return [=](const Address& address) {
      return std::make_unique<ThriftNodeLink>(address, fence, heartbeat_deadline, connection);
    };
  };
  rpc::ConnectionOptions connection;
  connection.connect_timeout = kConnectTimeout;
  connection.tls = tls;
  connection.budget = std::make_shared<ByteBudget>(rpc::kMessageBytesMax);
  NodeLinkFactories links;
  links.for_tasks = factory(connection);
  connection.spin = std::make_shared<rpc::Spin>(kPredictionSpin);
  links.for_predictions = factory(connection);
  return links;
}

}  // namespace gradmill::coordinator
