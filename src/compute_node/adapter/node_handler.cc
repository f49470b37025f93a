#include "compute_node/adapter/node_handler.h"

#include <algorithm>
#include <array>
#include <utility>

#include <wire/NodeService.h>

#include "base/error.h"
#include "rpc/blob_transfer.h"
#include "rpc/server.h"
#include "wire/fault_convert.h"
#include "wire/hello.h"
#include "wire/prediction_convert.h"
#include "wire/task_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::node {
namespace {

constexpr std::int32_t kWaitMax = 1000;

std::chrono::milliseconds wait_from(std::int32_t wait_ms) {
  return std::chrono::milliseconds{std::clamp(wait_ms, 0, kWaitMax)};
}

RowBatch batch_from(const wire::RowBatch& batch) {
  RowBatch to;
  to.first_row = wire::unsigned_from<std::uint64_t>(batch.first_row, "the first row");
  to.values = std::make_shared<const std::string>(batch.rows.values);
  to.rows = wire::rows_from(batch.rows);
  to.rows.values = *to.values;
  return to;
}

TaskRequest request_from(const wire::RunTaskRequest& request) {
  TaskRequest to;
  to.task = wire::task_from(request.task);
  to.job_digest = wire::digest_from(request.job_digest, "the job's digest");
  if (request.__isset.batch) {
    to.batch = batch_from(request.batch);
  } else {
    to.rule = wire::rule_from(request.rule);
    to.rounds = wire::rounds_from(request);
  }
  to.weights = wire::blob_from(request.weights, "the weights");
  to.shard = wire::blob_from(request.shard, "the shard");
  to.load_rule = wire::load_rule_from(request.load_rule);
  if (request.__isset.weights_data) {
    to.weights_blob = make_blob(request.weights_data);
    if (to.weights_blob->ref != to.weights) {
      throw invalid_input("the weights are not those of their digest");
    }
  }
  return to;
}

/// One connection of one coordinator: decodes, asks the worker, encodes.
class NodeHandler final : public wire::NodeServiceIf {
 public:
  NodeHandler(const NodeParts& parts, std::optional<std::string> refusal)
      : worker_(parts.worker),
        models_(parts.worker.models()),
        faults_(parts.faults),
        refusal_(std::move(refusal)),
        receiver_(parts.worker.inbox().bytes_max(), &parts.worker.inbox()) {}

  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    if (refusal_) {
      throw wire::with_message<wire::NotAllowed>(*refusal_);
    }
    gate_.open(response, request, wire::Role::NODE);
    const NodeHello hello = worker_.hello();
    response.kernel_id = hello.kernel_id;
    response.slots = static_cast<std::int32_t>(hello.slots);
    response.incarnation = hello.incarnation;
  }

  void heartbeat(wire::HeartbeatResponse& response,
                 const wire::HeartbeatRequest& request) override {
    gate_.check();
    wire::translate([&] {
      response.running = static_cast<std::int32_t>(
          worker_.heartbeat(wire::fence_from(request.fence), request.live_jobs));
      response.incarnation = worker_.hello().incarnation;
      response.leaving = worker_.leaving();
      response.uptime_ms = worker_.uptime().count();
    });
  }

  void runTask(wire::TaskResponse& response, const wire::RunTaskRequest& request) override {
    gate_.check();
    response = wire::translate([&] {
      return wire::to_wire(sent(worker_.run(
          wire::fence_from(request.fence), request_from(request), wait_from(request.wait_ms))));
    });
  }

  void pollTask(wire::TaskResponse& response, const wire::PollTaskRequest& request) override {
    gate_.check();
    response = wire::translate([&] {
      return wire::to_wire(sent(worker_.poll(wire::fence_from(request.fence),
                                             wire::task_from(request.task),
                                             wait_from(request.wait_ms))));
    });
  }

  void cancelTask(wire::CancelTaskResponse& response,
                  const wire::CancelTaskRequest& request) override {
    gate_.check();
    wire::translate(
        [&] { worker_.cancel(wire::fence_from(request.fence), wire::task_from(request.task)); });
    response.task = request.task;
  }

  void setFaults(wire::SetNodeFaultsResponse& response,
                 const wire::SetNodeFaultsRequest& request) override {
    gate_.check();
    wire::translate([&] {
      const FaultSettings faults = wire::faults_from(request.faults);
      response.enabled = faults_ != nullptr;
      if (faults_ != nullptr) {
        response.state = wire::to_wire(faults_->set(faults));
      }
    });
  }

  void getFaults(wire::GetNodeFaultsResponse& response,
                 const wire::GetNodeFaultsRequest& /*request*/) override {
    gate_.check();
    wire::translate([&] {
      response.enabled = faults_ != nullptr;
      if (faults_ != nullptr) {
        response.state = wire::to_wire(faults_->state());
      }
    });
  }

  void putBlob(wire::PutBlobResponse& response, const wire::PutBlobRequest& request) override {
    gate_.check();
    receive(response, request, [&](const Blob& blob) {
      worker_.put_blob(wire::fence_from(request.fence), blob);
    });
  }

  void predictRows(wire::PredictRowsResponse& response,
                   const wire::PredictRowsRequest& request) override {
    gate_.check();
    wire::translate([&] {
      worker_.admit(wire::fence_from(request.fence));
      const std::shared_ptr<ShelvedModel> model =
          models_.find(wire::digest_from(request.model, "the model"));
      if (model != nullptr) {
        response = wire::to_wire(model->predict(wire::rows_from(request.rows)));
      } else {
        response.missing = true;
      }
    });
  }

  void putModel(wire::PutBlobResponse& response, const wire::PutBlobRequest& request) override {
    gate_.check();
    receive(response, request, [&](const Blob& blob) {
      worker_.admit(wire::fence_from(request.fence));
      models_.put(blob);
    });
  }

  void getBlob(wire::GetBlobResponse& response, const wire::GetBlobRequest& request) override {
    gate_.check();
    wire::translate([&] {
      const Blob blob = worker_.get_blob(wire::fence_from(request.fence),
                                         wire::blob_from(request.blob, "the blob"));
      wire::fill_piece(response, request, blob);
      if (spoiled_fetch_) {
        faults::flip_bit(response.data, *spoiled_fetch_);
        spoiled_fetch_.reset();
      }
    });
  }

 private:
  /// Takes a piece; the last one is followed by take(blob).
  template <class Take>
  void receive(wire::PutBlobResponse& response,
               const wire::PutBlobRequest& request,
               const Take& take) {
    wire::translate([&] {
      const BlobRef ref = wire::blob_from(request.blob, "the blob");
      const auto offset = wire::unsigned_from<std::uint64_t>(request.offset, "the offset");
      response.digest = request.blob.digest;
      if (const std::optional<Blob> blob = receiver_.add(ref, offset, request.data)) {
        take(*blob);
        response.received = request.blob.bytes;
      } else {
        response.received = static_cast<std::int64_t>(receiver_.received());
      }
    });
  }

  /// The answer as it goes out: as it is, or spoiled on purpose.
  TaskAnswer sent(TaskAnswer answer) {
    if (faults_ != nullptr && answer.state == TaskState::kDone) {
      const std::optional<faults::Corruption> corruption = faults_->spoil_result();
      if (corruption && !faults::corrupt(answer, *corruption)) {
        spoiled_fetch_ = corruption->position;
      }
    }
    return answer;
  }

  Worker& worker_;
  ModelShelf& models_;
  faults::FaultInjector* const faults_;
  std::optional<double> spoiled_fetch_;  // where to flip a bit of the next piece that is fetched
  const std::optional<std::string> refusal_;  // Why the peer is not to be served.
  wire::HelloGate gate_;
  rpc::BlobReceiver receiver_;
};

class HandlerFactory final : public wire::NodeServiceIfFactory {
 public:
  HandlerFactory(std::function<NodeParts()> parts,
                 std::shared_ptr<const rpc::AllowedNames> coordinators)
      : parts_(std::move(parts)), coordinators_(std::move(coordinators)) {}
  wire::NodeServiceIf* getHandler(const apache::thrift::TConnectionInfo& connection) override {
    return std::make_unique<NodeHandler>(parts_(), refusal(rpc::peer_of(connection))).release();
  }
  void releaseHandler(wire::NodeServiceIf* handler) override {
    const std::unique_ptr<wire::NodeServiceIf> owner(handler);
  }

 private:
  [[nodiscard]] std::optional<std::string> refusal(
      const std::optional<rpc::PeerIdentity>& peer) const {
    const std::string name = peer ? peer->name : std::string();
    if (coordinators_ == nullptr || coordinators_->names.contains(name)) {
      return std::nullopt;
    }
    return "the node takes no calls of '" + name + "', the name in the certificate; its " +
           coordinators_->option + " says of whom";
  }

  const std::function<NodeParts()> parts_;
  const std::shared_ptr<const rpc::AllowedNames> coordinators_;
};

}  // namespace

std::shared_ptr<apache::thrift::TProcessorFactory> make_node_handlers(
    std::function<NodeParts()> parts, std::shared_ptr<const rpc::AllowedNames> coordinators) {
  return std::make_shared<wire::NodeServiceProcessorFactory>(
      std::make_shared<HandlerFactory>(std::move(parts), std::move(coordinators)));
}

bool is_task_call(std::string_view method) {
  constexpr std::array<std::string_view, 6> kTaskCalls = {
      "runTask", "pollTask", "putBlob", "getBlob", "predictRows", "putModel"};
  return std::find(kTaskCalls.begin(), kTaskCalls.end(), method) != kTaskCalls.end();
}

}  // namespace gradmill::node
