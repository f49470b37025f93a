#include "client/adapter/thrift_coordinator_link.h"

#include <utility>

#include <wire/CoordinatorService.h>
#include <wire/common_constants.h>

#include "rpc/blob_transfer.h"
#include "rpc/connection.h"
#include "wire/job_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::client {
namespace {

// Reading a large data set takes the coordinator a while when a job is submitted.
constexpr std::chrono::milliseconds kSubmitDeadline{30'000};
constexpr std::chrono::milliseconds kConnectTimeout{3000};
constexpr std::chrono::milliseconds kCallDeadline{5000};
constexpr std::chrono::milliseconds kPieceDeadline{10'000};
constexpr std::uint64_t kBlobBytesMax = std::uint64_t{4} << 30U;

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
  explicit ThriftCoordinatorLink(const Address& address)
      : connection_(address,
                    rpc::ConnectionOptions{.connect_timeout = kConnectTimeout},
                    [this](wire::CoordinatorServiceClient& client) { say_hello(client); }) {}

  std::vector<Digest> submit(const std::string& id,
                             const JobSpecification& specification) override {
    wire::SubmitJobRequest request;
    request.job_id = id;
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
    request.wait_ms = static_cast<std::int32_t>(wait.count());
    request.rounds_known = static_cast<std::int32_t>(query.rounds_known);
    request.with_tasks = query.with_tasks;
    request.gather_ms = static_cast<std::int32_t>(query.gather.count());
    wire::JobStatus response;
    call(wait + kCallDeadline, [&](auto& client) { client.followJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, query.job);
      return wire::status_from(response);
    });
  }

  JobState cancel(const std::string& job) override {
    wire::CancelJobRequest request;
    request.job_id = job;
    wire::CancelJobResponse response;
    call(kCallDeadline, [&](auto& client) { client.cancelJob(response, request); });
    return checked([&] {
      check_echo(response.job_id, job);
      return wire::job_state_from(response.state);
    });
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

std::unique_ptr<CoordinatorLink> make_thrift_coordinator_link(const Address& address) {
  return std::make_unique<ThriftCoordinatorLink>(address);
}

}  // namespace gradmill::client
