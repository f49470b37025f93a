#include "coordinator/adapter/coordinator_handler.h"

#include <algorithm>
#include <array>
#include <utility>

#include <wire/CoordinatorService.h>

#include "rpc/blob_transfer.h"
#include "rpc/server.h"
#include "wire/fault_convert.h"
#include "wire/garbage_convert.h"
#include "wire/hello.h"
#include "wire/job_convert.h"
#include "wire/log_convert.h"
#include "wire/model_convert.h"
#include "wire/node_convert.h"
#include "wire/prediction_convert.h"
#include "wire/scheduling_convert.h"
#include "wire/statistics_convert.h"
#include "wire/status_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::coordinator {
namespace {

constexpr std::int32_t kWaitMax = 1000;

/// How long a call may wait for news: what the peer asks for, within bounds.
std::chrono::milliseconds wait_of(std::int32_t wait_ms) {
  return std::chrono::milliseconds{std::clamp(wait_ms, 0, kWaitMax)};
}

/// Who calls, and what decides on it; null: whoever it is may do everything.
struct Caller {
  std::string name;
  std::shared_ptr<const AccessList> access;
};

/// One connection of one client: decodes, asks the coordinator, encodes.
class CoordinatorHandler final : public wire::CoordinatorServiceIf {
 public:
  CoordinatorHandler(const CoordinatorParts& parts, Caller caller)
      : coordinator_(parts.coordinator),
        faults_(parts.faults),
        predictor_(parts.predictor),
        caller_(std::move(caller)),
        receiver_(parts.coordinator.blob_bytes_max(), &parts.coordinator.room()) {}

  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    if (caller_.access != nullptr) {
      wire::translate([&] { caller_.access->check_known(caller_.name); });
    }
    gate_.open(response, request, wire::Role::COORDINATOR);
  }

  void submitJob(wire::SubmitJobResponse& response,
                 const wire::SubmitJobRequest& request) override {
    check(Right::kOperate);
    const std::vector<Digest> missing = wire::translate([&] {
      return coordinator_.submit(request.job_id,
                                 wire::specification_from(request.specification),
                                 wire::terms_from(request));
    });
    response.job_id = request.job_id;
    for (const Digest& digest : missing) {
      response.missing.push_back(wire::to_wire(digest));
    }
  }

  void followJob(wire::JobStatus& response, const wire::FollowJobRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      JobQuery query;
      query.job = request.job_id;
      query.version = wire::unsigned_from<std::uint64_t>(request.version, "the version");
      query.rounds_known =
          wire::unsigned_from<std::uint32_t>(request.rounds_known, "the number of rounds");
      query.with_tasks = request.with_tasks;
      query.gather = wait_of(request.gather_ms);
      return wire::to_wire(coordinator_.follow(query, wait_of(request.wait_ms)));
    });
  }

  void controlJob(wire::ControlJobResponse& response,
                  const wire::ControlJobRequest& request) override {
    check(Right::kOperate);
    response = wire::translate([&] {
      return wire::to_wire(
          request.job_id,
          coordinator_.control(
              request.job_id, wire::command_from(request.command), wait_of(request.wait_ms)));
    });
  }

  void listJobs(wire::ListJobsResponse& response, const wire::ListJobsRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      return wire::to_wire(
          coordinator_.jobs(wire::unsigned_from<std::uint32_t>(request.limit, "the limit")));
    });
  }

  void getJob(wire::GetJobResponse& response, const wire::GetJobRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] { return wire::to_wire(coordinator_.job(request.job_id)); });
  }

  void explainJob(wire::ExplainJobResponse& response,
                  const wire::ExplainJobRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] { return wire::to_wire(coordinator_.explain(request.job_id)); });
  }

  void setScheduling(wire::SetSchedulingResponse& response,
                     const wire::SetSchedulingRequest& request) override {
    check(Right::kOperate);
    wire::translate([&] { coordinator_.set_scheduling(wire::scheduling_from(request.mode)); });
    response.mode = request.mode;
  }

  void getScheduling(wire::GetSchedulingResponse& response,
                     const wire::GetSchedulingRequest& /*request*/) override {
    check(Right::kView);
    response.mode = wire::translate([&] { return wire::to_wire(coordinator_.scheduling()); });
  }

  void jobLogs(wire::JobLogsResponse& response, const wire::JobLogsRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      const auto after = wire::unsigned_from<std::uint64_t>(request.after, "the last event");
      return wire::to_wire(coordinator_.logs(request.job_id, after, wait_of(request.wait_ms)));
    });
  }

  void jobPredictions(wire::JobPredictionsResponse& response,
                      const wire::JobPredictionsRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      return wire::to_wire(coordinator_.predictions(
          request.job_id,
          wire::unsigned_from<std::uint64_t>(request.first_row, "the first row"),
          wire::rows_max_from(request.rows_max),
          wait_of(request.wait_ms)));
    });
  }

  void setBatchRows(wire::SetBatchRowsResponse& response,
                    const wire::SetBatchRowsRequest& request) override {
    check(Right::kOperate);
    wire::translate([&] {
      coordinator_.set_batch_rows(
          request.job_id,
          wire::unsigned_from<std::uint32_t>(request.batch_rows, "the rows of a batch"));
    });
    response.job_id = request.job_id;
  }

  void jobStatistics(wire::JobStatisticsResponse& response,
                     const wire::JobStatisticsRequest& request) override {
    check(Right::kView);
    response =
        wire::translate([&] { return wire::to_wire(coordinator_.statistics(request.job_id)); });
  }

  void deleteJob(wire::DeleteJobResponse& response,
                 const wire::DeleteJobRequest& request) override {
    check(Right::kOperate);
    wire::translate([&] { coordinator_.remove(request.job_id); });
    response.job_id = request.job_id;
  }

  void collectGarbage(wire::CollectGarbageResponse& response,
                      const wire::CollectGarbageRequest& request) override {
    check(Right::kOperate);
    response = wire::translate([&] {
      return wire::to_wire(
          coordinator_.collect_garbage(request.dry_run, wire::retention_from(request)));
    });
  }

  void listModels(wire::ListModelsResponse& response,
                  const wire::ListModelsRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      return wire::to_wire(request.model.empty() ? coordinator_.models()
                                                 : coordinator_.versions(request.model));
    });
  }

  void getModel(wire::GetModelResponse& response, const wire::GetModelRequest& request) override {
    check(Right::kView);
    response =
        wire::translate([&] { return wire::to_wire(coordinator_.model(request.reference)); });
  }

  void modelStatistics(wire::ModelStatisticsResponse& response,
                       const wire::ModelStatisticsRequest& request) override {
    check(Right::kView);
    response = wire::translate(
        [&] { return wire::to_wire(coordinator_.model_statistics(request.reference)); });
  }

  void importModel(wire::ImportModelResponse& response,
                   const wire::ImportModelRequest& request) override {
    check(Right::kOperate);
    response.model = request.model;
    response.version = wire::translate([&] {
      return coordinator_
          .import_model(request.model, wire::blob_from(request.file, "the model file"))
          .version;
    });
  }

  void promoteModel(wire::PromoteModelResponse& response,
                    const wire::PromoteModelRequest& request) override {
    check(Right::kOperate);
    response.reference = request.reference;
    wire::translate([&] {
      if (const auto move =
              coordinator_.promote_model(request.reference, request.alias_name, request.force)) {
        response.__set_move(wire::to_wire(*move));
      }
    });
  }

  void rollbackModel(wire::RollbackModelResponse& response,
                     const wire::RollbackModelRequest& request) override {
    check(Right::kOperate);
    response.model = request.model;
    response.move = wire::translate([&] {
      return wire::to_wire(coordinator_.roll_back_model(
          request.model,
          request.alias_name,
          wire::unsigned_from<std::uint32_t>(request.from_version, "the version")));
    });
  }

  void deleteModel(wire::DeleteModelResponse& response,
                   const wire::DeleteModelRequest& request) override {
    check(Right::kOperate);
    response.model = request.model;
    wire::translate([&] {
      const auto version = wire::unsigned_from<std::uint32_t>(request.version, "the version");
      if (version > 0) {
        coordinator_.delete_version(request.model, version);
      } else {
        coordinator_.delete_model(request.model);
      }
    });
  }

  void join(wire::JoinResponse& response, const wire::JoinRequest& request) override {
    check(Right::kJoin);
    response = wire::translate([&] {
      return wire::to_wire(coordinator_.join(wire::address_from(request.host, request.port),
                                             wire::incarnation_from(request.incarnation)));
    });
  }

  void addNode(wire::AddNodeResponse& response, const wire::AddNodeRequest& request) override {
    check(Right::kOperate);
    response.node = wire::translate([&] {
      return wire::to_wire(coordinator_.add_node(wire::address_from(request.host, request.port)));
    });
  }

  void removeNode(wire::RemoveNodeResponse& response,
                  const wire::RemoveNodeRequest& request) override {
    check(Right::kOperate);
    response.node = wire::translate([&] {
      return wire::to_wire(coordinator_.remove_node(wire::address_from(request.host, request.port),
                                                    wait_of(request.wait_ms)));
    });
  }

  void listNodes(wire::ListNodesResponse& response,
                 const wire::ListNodesRequest& /*request*/) override {
    check(Right::kView);
    wire::translate([&] {
      std::vector<NodeStatus> nodes = coordinator_.nodes();
      predictor_.tell_of_answers(nodes);
      for (const NodeStatus& node : nodes) {
        response.nodes.push_back(wire::to_wire(node));
      }
    });
  }

  void setFaults(wire::SetFaultsResponse& response,
                 const wire::SetFaultsRequest& request) override {
    check(Right::kOperate);
    response.reports = wire::translate([&] {
      return wire::to_wire(
          faults_.set(wire::fault_target_from(request), wire::faults_from(request.faults)));
    });
  }

  void listFaults(wire::ListFaultsResponse& response,
                  const wire::ListFaultsRequest& /*request*/) override {
    check(Right::kView);
    response.reports = wire::translate([&] { return wire::to_wire(faults_.list()); });
  }

  void servedModel(wire::ServedModelResponse& response,
                   const wire::ServedModelRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] { return wire::to_wire(*predictor_.served(request.model)); });
  }

  void predict(wire::PredictResponse& response, const wire::PredictRequest& request) override {
    check(Right::kView);
    response = wire::translate([&] {
      return wire::to_wire(predictor_.predict(request.model, wire::rows_from(request.rows)));
    });
  }

  void putBlob(wire::PutBlobResponse& response, const wire::PutBlobRequest& request) override {
    check(Right::kOperate);
    wire::translate([&] {
      const BlobRef ref = wire::blob_from(request.blob, "the blob");
      const auto offset = wire::unsigned_from<std::uint64_t>(request.offset, "the offset");
      response.digest = request.blob.digest;
      if (const std::optional<Blob> blob = receiver_.add(ref, offset, request.data)) {
        coordinator_.put_blob(*blob);
        response.received = request.blob.bytes;
      } else {
        response.received = static_cast<std::int64_t>(receiver_.received());
      }
    });
  }

  void getBlob(wire::GetBlobResponse& response, const wire::GetBlobRequest& request) override {
    check(Right::kView);
    wire::translate([&] {
      const Blob blob = coordinator_.get_blob(wire::blob_from(request.blob, "the blob"));
      wire::fill_piece(response, request, blob);
    });
  }

 private:
  void check(Right right) const {
    gate_.check();
    if (caller_.access != nullptr) {
      wire::translate([&] { caller_.access->check(caller_.name, right); });
    }
  }

  Coordinator& coordinator_;
  const FaultRelay& faults_;
  Predictor& predictor_;
  const Caller caller_;
  wire::HelloGate gate_;
  rpc::BlobReceiver receiver_;
};

class HandlerFactory final : public wire::CoordinatorServiceIfFactory {
 public:
  HandlerFactory(std::function<CoordinatorParts()> parts, std::shared_ptr<const AccessList> access)
      : parts_(std::move(parts)), access_(std::move(access)) {}
  wire::CoordinatorServiceIf* getHandler(
      const apache::thrift::TConnectionInfo& connection) override {
    Caller caller{rpc::peer_of(connection).value_or(rpc::PeerIdentity{}).name, access_};
    return std::make_unique<CoordinatorHandler>(parts_(), std::move(caller)).release();
  }
  void releaseHandler(wire::CoordinatorServiceIf* handler) override {
    const std::unique_ptr<wire::CoordinatorServiceIf> owner(handler);
  }

 private:
  const std::function<CoordinatorParts()> parts_;
  const std::shared_ptr<const AccessList> access_;
};

}  // namespace

std::shared_ptr<apache::thrift::TProcessorFactory> make_coordinator_handlers(
    std::function<CoordinatorParts()> parts, std::shared_ptr<const AccessList> access) {
  return std::make_shared<wire::CoordinatorServiceProcessorFactory>(
      std::make_shared<HandlerFactory>(std::move(parts), std::move(access)));
}

bool is_client_call(std::string_view method) {
  constexpr std::array<std::string_view, 4> kOthers = {"hello", "join", "setFaults", "listFaults"};
  return std::find(kOthers.begin(), kOthers.end(), method) == kOthers.end();
}

}  // namespace gradmill::coordinator
