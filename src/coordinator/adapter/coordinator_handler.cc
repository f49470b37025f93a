#include "coordinator/adapter/coordinator_handler.h"

#include <algorithm>
#include <utility>

#include <wire/CoordinatorService.h>

#include "rpc/blob_transfer.h"
#include "wire/hello.h"
#include "wire/job_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::coordinator {
namespace {

constexpr std::int32_t kWaitMax = 1000;
constexpr std::uint64_t kBlobBytesMax = std::uint64_t{4} << 30U;

/// One connection of one client: decodes, asks the coordinator, encodes.
class CoordinatorHandler final : public wire::CoordinatorServiceIf {
 public:
  explicit CoordinatorHandler(Coordinator& coordinator) : coordinator_(coordinator) {}

  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    gate_.open(response, request, wire::Role::COORDINATOR);
  }

  void submitJob(wire::SubmitJobResponse& response,
                 const wire::SubmitJobRequest& request) override {
    gate_.check();
    const std::vector<Digest> missing = wire::translate([&] {
      return coordinator_.submit(request.job_id, wire::specification_from(request.specification));
    });
    response.job_id = request.job_id;
    for (const Digest& digest : missing) {
      response.missing.push_back(wire::to_wire(digest));
    }
  }

  void followJob(wire::JobStatus& response, const wire::FollowJobRequest& request) override {
    gate_.check();
    response = wire::translate([&] {
      JobQuery query;
      query.job = request.job_id;
      query.version = wire::unsigned_from<std::uint64_t>(request.version, "the version");
      query.rounds_known =
          wire::unsigned_from<std::uint32_t>(request.rounds_known, "the number of rounds");
      query.with_tasks = request.with_tasks;
      const std::chrono::milliseconds wait{std::clamp(request.wait_ms, 0, kWaitMax)};
      query.gather = std::chrono::milliseconds{std::clamp(request.gather_ms, 0, kWaitMax)};
      return wire::to_wire(coordinator_.follow(query, wait));
    });
  }

  void cancelJob(wire::CancelJobResponse& response,
                 const wire::CancelJobRequest& request) override {
    gate_.check();
    response.job_id = request.job_id;
    response.state =
        wire::translate([&] { return wire::to_wire(coordinator_.cancel(request.job_id)); });
  }

  void putBlob(wire::PutBlobResponse& response, const wire::PutBlobRequest& request) override {
    gate_.check();
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
    gate_.check();
    wire::translate([&] {
      const Blob blob = coordinator_.get_blob(wire::blob_from(request.blob, "the blob"));
      wire::fill_piece(response, request, blob);
    });
  }

 private:
  Coordinator& coordinator_;
  wire::HelloGate gate_;
  rpc::BlobReceiver receiver_{kBlobBytesMax};
};

class HandlerFactory final : public wire::CoordinatorServiceIfFactory {
 public:
  explicit HandlerFactory(Coordinator& coordinator) : coordinator_(coordinator) {}
  wire::CoordinatorServiceIf* getHandler(const apache::thrift::TConnectionInfo&) override {
    return std::make_unique<CoordinatorHandler>(coordinator_).release();
  }
  void releaseHandler(wire::CoordinatorServiceIf* handler) override {
    const std::unique_ptr<wire::CoordinatorServiceIf> owner(handler);
  }

 private:
  Coordinator& coordinator_;
};

}  // namespace

std::shared_ptr<apache::thrift::TProcessorFactory> make_coordinator_handlers(
    Coordinator& coordinator) {
  return std::make_shared<wire::CoordinatorServiceProcessorFactory>(
      std::make_shared<HandlerFactory>(coordinator));
}

}  // namespace gradmill::coordinator
