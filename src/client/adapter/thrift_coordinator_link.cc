#include "client/adapter/thrift_coordinator_link.h"

#include <utility>

#include <wire/CoordinatorService.h>
#include <wire/common_constants.h>

#include "rpc/blob_transfer.h"
#include "rpc/connection.h"
#include "rpc/tls.h"
#include "wire/fault_convert.h"
#include "wire/garbage_convert.h"
#include "wire/job_convert.h"
#include "wire/log_convert.h"
#include "wire/model_convert.h"
#include "wire/node_convert.h"
#include "wire/prediction_convert.h"
#include "wire/scheduling_convert.h"
#include "wire/statistics_convert.h"
#include "wire/status_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::client {
namespace {

// Reading a large data set takes the coordinator a while when a job is submitted.
constexpr std::chrono::milliseconds kSubmitDeadline{30'000};
constexpr std::chrono::milliseconds kConnectTimeout{3000};
constexpr std::chrono::milliseconds kCallDeadline{5000};
// Beyond what the coordinator takes to try other nodes.
constexpr std::chrono::milliseconds kPredictDeadline{15'000};
// Removing many files takes a slow disk a while.
constexpr std::chrono::milliseconds kCollectDeadline{30'000};
// The coordinator asks all nodes, and some may not answer.
constexpr std::chrono::milliseconds kFaultsDeadline{30'000};
constexpr std::chrono::milliseconds kPieceDeadline{10'000};
constexpr std::uint64_t kBlobBytesMax = std::uint64_t{4} << 30U;

std::int32_t milliseconds(std::chrono::milliseconds duration) {
  return static_cast<std::int32_t>(duration.count());
}

class ThriftCoordinatorLink final : public CoordinatorLink {
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
  ThriftCoordinatorLink(const Address& address, const rpc::ClientTls& tls)
      : connection_(address,
                    rpc::ConnectionOptions{.connect_timeout = kConnectTimeout, .tls = tls},
                    [this](wire::CoordinatorServiceClient& client) { say_hello(client); }) {}

  std::vector<Digest> submit(const std::string& id,
                             const JobSpecification& specification,
                             const JobTerms& terms) override {
    wire::SubmitJobRequest request;
    request.job_id = id;
    request.model = terms.model;
    request.priority = terms.share.priority;
    request.weight = static_cast<std::int32_t>(terms.share.weight);
    request.specification = wire::to_wire(specification);
    wire::SubmitJobResponse response;
    call(kSubmitDeadline, [&](auto& client) { client.submitJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, id);
      std::vector<Digest> missing;
      for (const std::string& digest : response.missing) {
        missing.push_back(wire::digest_from(digest, "a missing blob"));
      }
      return missing;
    });
  }

  JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait) override {
    wire::FollowJobRequest request;
    request.job_id = query.job;
    request.version = static_cast<std::int64_t>(query.version);
    request.wait_ms = milliseconds(wait);
    request.rounds_known = static_cast<std::int32_t>(query.rounds_known);
    request.with_tasks = query.with_tasks;
    request.gather_ms = milliseconds(query.gather);
    wire::JobStatus response;
    call(wait + kCallDeadline, [&](auto& client) { client.followJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, query.job);
      return wire::status_from(response);
    });
  }

  JobControl control(const std::string& job,
                     JobCommand command,
                     std::chrono::milliseconds wait) override {
    wire::ControlJobRequest request;
    request.job_id = job;
    request.command = wire::to_wire(command);
    request.wait_ms = milliseconds(wait);
    wire::ControlJobResponse response;
    call(wait + kCallDeadline, [&](auto& client) { client.controlJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, job);
      return wire::control_from(response);
    });
  }

  std::vector<JobSummary> jobs(std::uint32_t limit) override {
    wire::ListJobsRequest request;
    request.limit = static_cast<std::int32_t>(limit);
    wire::ListJobsResponse response;
    call(kCallDeadline, [&](auto& client) { client.listJobs(response, request); });
    return checked([&] { return wire::summaries_from(response); });
  }

  JobDetails job(const std::string& job) override {
    wire::GetJobRequest request;
    request.job_id = job;
    wire::GetJobResponse response;
    call(kCallDeadline, [&](auto& client) { client.getJob(response, request); });
    return checked([&] {
      check_echo(response.status.job_id, job);
      return wire::details_from(response);
    });
  }

  JobExplanation explain(const std::string& job) override {
    wire::ExplainJobRequest request;
    request.job_id = job;
    wire::ExplainJobResponse response;
    call(kCallDeadline, [&](auto& client) { client.explainJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, job);
      return wire::explanation_from(response);
    });
  }

  void set_scheduling(SchedulingMode mode) override {
    wire::SetSchedulingRequest request;
    request.mode = wire::to_wire(mode);
    wire::SetSchedulingResponse response;
    call(kSubmitDeadline, [&](auto& client) { client.setScheduling(response, request); });
    checked([&] {
      check_echo(std::string(name_of(wire::scheduling_from(response.mode))),
                 std::string(name_of(mode)));
    });
  }

  SchedulingMode scheduling() override {
    wire::GetSchedulingResponse response;
    call(kCallDeadline,
         [&](auto& client) { client.getScheduling(response, wire::GetSchedulingRequest()); });
    return checked([&] { return wire::scheduling_from(response.mode); });
  }

  JobLog logs(const std::string& job,
              std::uint64_t after,
              std::chrono::milliseconds wait) override {
    wire::JobLogsRequest request;
    request.job_id = job;
    request.after = static_cast<std::int64_t>(after);
    request.wait_ms = milliseconds(wait);
    wire::JobLogsResponse response;
    call(wait + kCallDeadline, [&](auto& client) { client.jobLogs(response, request); });
    return checked([&] { return wire::log_from(response); });
  }

  JobPredictions predictions(const std::string& job,
                             std::uint64_t first_row,
                             std::uint32_t rows_max,
                             std::chrono::milliseconds wait) override {
    wire::JobPredictionsRequest request;
    request.job_id = job;
    request.first_row = static_cast<std::int64_t>(first_row);
    request.rows_max = static_cast<std::int32_t>(rows_max);
    request.wait_ms = milliseconds(wait);
    wire::JobPredictionsResponse response;
    call(wait + kCallDeadline, [&](auto& client) { client.jobPredictions(response, request); });
    return checked([&] { return wire::job_predictions_from(std::move(response), request); });
  }

  void set_batch_rows(const std::string& job, std::uint32_t batch_rows) override {
    wire::SetBatchRowsRequest request;
    request.job_id = job;
    request.batch_rows = static_cast<std::int32_t>(batch_rows);
    wire::SetBatchRowsResponse response;
    call(kCallDeadline, [&](auto& client) { client.setBatchRows(response, request); });
    checked([&] { check_echo(response.job_id, job); });
  }

  JobStatistics job_statistics(const std::string& job) override {
    wire::JobStatisticsRequest request;
    request.job_id = job;
    wire::JobStatisticsResponse response;
    call(kCallDeadline, [&](auto& client) { client.jobStatistics(response, request); });
    return checked([&] {
      check_echo(response.job_id, job);
      return wire::job_statistics_from(response);
    });
  }

  void remove(const std::string& job) override {
    wire::DeleteJobRequest request;
    request.job_id = job;
    wire::DeleteJobResponse response;
    call(kCallDeadline, [&](auto& client) { client.deleteJob(response, request); });
    checked([&] { check_echo(response.job_id, job); });
  }

  Garbage collect_garbage(bool dry_run, const std::optional<Retention>& rule) override {
    const wire::CollectGarbageRequest request = wire::to_wire(dry_run, rule);
    wire::CollectGarbageResponse response;
    call(kCollectDeadline, [&](auto& client) { client.collectGarbage(response, request); });
    return checked([&] { return wire::garbage_from(response); });
  }

  std::vector<ModelSummary> models(const std::string& model) override {
    wire::ListModelsRequest request;
    request.model = model;
    wire::ListModelsResponse response;
    call(kCallDeadline, [&](auto& client) { client.listModels(response, request); });
    return checked([&] { return wire::models_from(response); });
  }

  ModelDetails model(const std::string& reference) override {
    wire::GetModelRequest request;
    request.reference = reference;
    wire::GetModelResponse response;
    call(kCallDeadline, [&](auto& client) { client.getModel(response, request); });
    return checked([&] { return wire::model_from(response); });
  }

  ModelStatistics model_statistics(const std::string& reference) override {
    wire::ModelStatisticsRequest request;
    request.reference = reference;
    wire::ModelStatisticsResponse response;
    call(kCallDeadline, [&](auto& client) { client.modelStatistics(response, request); });
    return checked([&] { return wire::model_statistics_from(response); });
  }

  std::uint32_t import_model(const std::string& model, const BlobRef& file) override {
    wire::ImportModelRequest request;
    request.model = model;
    request.file = wire::to_wire(file);
    wire::ImportModelResponse response;
    call(kSubmitDeadline, [&](auto& client) { client.importModel(response, request); });
    return checked([&] {
      check_echo(response.model, model);
      return wire::unsigned_from<std::uint32_t>(response.version, "the version");
    });
  }

  std::optional<AliasMove> promote_model(const std::string& reference,
                                         const std::string& alias,
                                         bool force) override {
    wire::PromoteModelRequest request;
    request.reference = reference;
    request.alias_name = alias;
    request.force = force;
    wire::PromoteModelResponse response;
    call(kCallDeadline, [&](auto& client) { client.promoteModel(response, request); });
    return checked([&] {
      check_echo(response.reference, reference);
      return response.__isset.move ? std::optional(wire::move_from(response.move)) : std::nullopt;
    });
  }

  AliasMove roll_back_model(const std::string& model,
                            const std::string& alias,
                            std::uint32_t from) override {
    wire::RollbackModelRequest request;
    request.model = model;
    request.alias_name = alias;
    request.from_version = from;
    wire::RollbackModelResponse response;
    call(kCallDeadline, [&](auto& client) { client.rollbackModel(response, request); });
    return checked([&] {
      check_echo(response.model, model);
      return wire::move_from(response.move);
    });
  }

  void delete_model(const std::string& model, std::uint32_t version) override {
    wire::DeleteModelRequest request;
    request.model = model;
    request.version = version;
    wire::DeleteModelResponse response;
    call(kCallDeadline, [&](auto& client) { client.deleteModel(response, request); });
    checked([&] { check_echo(response.model, model); });
  }

  std::vector<NodeStatus> nodes() override {
    wire::ListNodesResponse response;
    call(kCallDeadline, [&](auto& client) { client.listNodes(response, {}); });
    return checked([&] {
      std::vector<NodeStatus> nodes;
      for (const wire::NodeStatus& node : response.nodes) {
        nodes.push_back(wire::node_status_from(node));
      }
      return nodes;
    });
  }

  NodeStatus add_node(const Address& node) override {
    wire::AddNodeRequest request;
    request.host = node.host;
    request.port = node.port;
    wire::AddNodeResponse response;
    call(kCallDeadline, [&](auto& client) { client.addNode(response, request); });
    return checked([&] { return wire::node_status_from(response.node); });
  }

  NodeStatus remove_node(const Address& node, std::chrono::milliseconds wait) override {
    wire::RemoveNodeRequest request;
    request.host = node.host;
    request.port = node.port;
    request.wait_ms = milliseconds(wait);
    wire::RemoveNodeResponse response;
    call(wait + kCallDeadline, [&](auto& client) { client.removeNode(response, request); });
    return checked([&] { return wire::node_status_from(response.node); });
  }

  std::vector<FaultReport> set_faults(const FaultTarget& target,
                                      const FaultSettings& faults) override {
    const wire::SetFaultsRequest request = wire::to_wire(target, faults);
    wire::SetFaultsResponse response;
    call(kFaultsDeadline, [&](auto& client) { client.setFaults(response, request); });
    return checked([&] { return wire::fault_reports_from(response.reports); });
  }

  std::vector<FaultReport> faults() override {
    wire::ListFaultsResponse response;
    call(kFaultsDeadline, [&](auto& client) { client.listFaults(response, {}); });
    return checked([&] { return wire::fault_reports_from(response.reports); });
  }

  ServedModel served_model(const std::string& model) override {
    wire::ServedModelRequest request;
    request.model = model;
    wire::ServedModelResponse response;
    call(kCallDeadline, [&](auto& client) { client.servedModel(response, request); });
    return checked([&] { return wire::served_model_from(std::move(response)); });
  }

  ModelPredictions predict(const std::string& model, const RawRows& rows) override {
    wire::PredictRequest request;
    request.model = model;
    wire::fill_rows(request.rows, {&rows, 1});
    wire::PredictResponse response;
    call(kPredictDeadline, [&](auto& client) { client.predict(response, request); });
    return checked([&] { return wire::predictions_from(std::move(response)); });
  }

  void put_blob(const Blob& blob) override {
    checked([&] {
      rpc::send_pieces(blob, [&](std::uint64_t offset, std::string piece) {
        wire::PutBlobRequest request;
        request.blob = wire::to_wire(blob.ref);
        request.offset = static_cast<std::int64_t>(offset);
        request.data = std::move(piece);
        wire::PutBlobResponse response;
        call(kPieceDeadline, [&](auto& client) { client.putBlob(response, request); });
        check_echo(response.digest, request.blob.digest);
        return response.received;
      });
    });
  }

  Blob get_blob(const BlobRef& blob) override {
    return checked([&] {
      return rpc::receive_pieces(blob, kBlobBytesMax, [&](std::uint64_t offset, std::int32_t max) {
        wire::GetBlobRequest request;
        request.blob = wire::to_wire(blob);
        request.offset = static_cast<std::int64_t>(offset);
        request.bytes_max = max;
        wire::GetBlobResponse response;
        call(kPieceDeadline, [&](auto& client) { client.getBlob(response, request); });
        check_echo(response.digest, request.blob.digest);
        return std::move(response.data);
      });
    });
  }

  void interrupt() override { connection_.interrupt(); }

 private:
  void say_hello(wire::CoordinatorServiceClient& client) {
    wire::HelloRequest request;
    request.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
    request.role = wire::Role::CLIENT;
    request.program_version = GRADMILL_VERSION;
    wire::HelloResponse response;
    wire::untranslate("", [&] { client.hello(response, request); });
    wire::check_version(response.protocol_version, "the coordinator");
    if (response.role != wire::Role::COORDINATOR) {
      throw Error(ErrorCode::kUnreachable, connection_.address().text() + " is no coordinator");
    }
  }

  void check_echo(const std::string& got, const std::string& sent) const {
    if (got != sent) {
      throw Error(ErrorCode::kUnreachable,
                  connection_.address().text() + " answered for something else than was asked");
    }
  }

  template <class F>
  void call(std::chrono::milliseconds deadline, const F& f) {
    wire::untranslate("", [&] { connection_.call(deadline, f); });
  }

  rpc::Connection<wire::CoordinatorServiceClient> connection_;
};

}  // namespace

std::unique_ptr<CoordinatorLink> make_thrift_coordinator_link(const Address& address,
                                                              const std::optional<TlsFiles>& tls) {
  rpc::ClientTls protection;
  if (tls) {
    protection.context = std::make_shared<rpc::TlsContext>(*tls, rpc::TlsRole::kClient);
  }
  return std::make_unique<ThriftCoordinatorLink>(address, protection);
}

}  // namespace gradmill::client
