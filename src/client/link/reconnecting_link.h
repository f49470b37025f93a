// A link that outlives restarts of the coordinator.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/link/coordinator_link.h"
#include "client/link/retry_timer.h"

namespace gradmill::client {

/// How long to try, and whom to tell.
struct ReconnectOptions {
  std::chrono::milliseconds timeout{60'000};     ///< From the first failure on; 0: never try again.
  std::function<void(const std::string&)> tell;  ///< One line for people, without its end.
};

/// Makes a call of another link again while the coordinator does not answer or is not ready, with
/// pauses of 100 ms growing to 1 s, once some call has succeeded: before that the address may well
/// be wrong, and the error comes at once. All calls are fit to be made twice. It says when the
/// trying starts and when the coordinator is back. For one thread at a time, except interrupt().
class ReconnectingLink final : public CoordinatorLink {
 public:
  /// `link` and `timer` must outlive this.
  ReconnectingLink(CoordinatorLink& link, RetryTimer& timer, ReconnectOptions options);

  std::vector<Digest> submit(const std::string& id,
                             const JobSpecification& specification,
                             const JobTerms& terms) override;
  JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait) override;
  JobControl control(const std::string& job,
                     JobCommand command,
                     std::chrono::milliseconds wait) override;
  std::vector<JobSummary> jobs(std::uint32_t limit) override;
  JobDetails job(const std::string& job) override;
  JobExplanation explain(const std::string& job) override;
  void set_scheduling(SchedulingMode mode) override;
  SchedulingMode scheduling() override;
  JobLog logs(const std::string& job, std::uint64_t after, std::chrono::milliseconds wait) override;
  JobPredictions predictions(const std::string& job,
                             std::uint64_t first_row,
                             std::uint32_t rows_max,
                             std::chrono::milliseconds wait) override;
  void set_batch_rows(const std::string& job, std::uint32_t batch_rows) override;
  JobStatistics job_statistics(const std::string& job) override;
  void remove(const std::string& job) override;
  Garbage collect_garbage(bool dry_run, const std::optional<Retention>& rule) override;
  std::vector<ModelSummary> models(const std::string& model) override;
  ModelDetails model(const std::string& reference) override;
  ModelStatistics model_statistics(const std::string& reference) override;
  std::uint32_t import_model(const std::string& model, const BlobRef& file) override;
  std::optional<AliasMove> promote_model(const std::string& reference,
                                         const std::string& alias,
                                         bool force) override;
  AliasMove roll_back_model(const std::string& model,
                            const std::string& alias,
                            std::uint32_t from) override;
  void delete_model(const std::string& model, std::uint32_t version) override;
  std::vector<NodeStatus> nodes() override;
  NodeStatus add_node(const Address& node) override;
  NodeStatus remove_node(const Address& node, std::chrono::milliseconds wait) override;
  std::vector<FaultReport> set_faults(const FaultTarget& target,
                                      const FaultSettings& faults) override;
  std::vector<FaultReport> faults() override;
  [[nodiscard]] ServedModel served_model(const std::string& model) override;
  [[nodiscard]] ModelPredictions predict(const std::string& model, const RawRows& rows) override;
  void put_blob(const Blob& blob) override;
  Blob get_blob(const BlobRef& blob) override;
  void interrupt() override;

 private:
  /// While one call fails.
  struct Outage {
    std::optional<std::chrono::steady_clock::time_point> until;  // absent: no failure yet
    std::chrono::milliseconds pause{};                           // the next one
  };

  template <class Call>
  auto retried(const Call& call);
  /// Whether a call that failed so is to be made again, now.
  bool again(const Error& error, Outage& outage);
  void answered(const Outage& outage);

  CoordinatorLink& link_;
  RetryTimer& timer_;
  const ReconnectOptions options_;
  bool reached_ = false;  // some call succeeded
  std::atomic<bool> interrupted_ = false;
};

}  // namespace gradmill::client
