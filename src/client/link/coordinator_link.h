// The client's way to the coordinator.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/blob.h"
#include "protocol/fault_settings.h"
#include "protocol/garbage.h"
#include "protocol/job_details.h"
#include "protocol/job_event.h"
#include "protocol/job_explanation.h"
#include "protocol/job_specification.h"
#include "protocol/job_status.h"
#include "protocol/job_terms.h"
#include "protocol/model.h"
#include "protocol/node_status.h"
#include "protocol/prediction.h"
#include "protocol/query_statistics.h"

namespace gradmill::client {

/// One connection to one coordinator, made when it is needed. Every call has a deadline of seconds
/// and throws Error: kUnreachable when the coordinator does not answer as it should, others as it
/// says. For one thread at a time, except interrupt().
class CoordinatorLink {
 public:
  virtual ~CoordinatorLink() = default;
  /// Submits the job, or returns the blobs to put first.
  [[nodiscard]] virtual std::vector<Digest> submit(const std::string& id,
                                                   const JobSpecification& specification,
                                                   const JobTerms& terms) = 0;
  /// How the job stands: once it has changed, or after `wait`.
  [[nodiscard]] virtual JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait) = 0;
  /// Cancels, pauses or resumes the job: returns once every node has acknowledged it, or after
  /// `wait`.
  virtual JobControl control(const std::string& job,
                             JobCommand command,
                             std::chrono::milliseconds wait) = 0;
  /// The newest jobs, newest first; as many as one answer holds if `limit` is 0.
  [[nodiscard]] virtual std::vector<JobSummary> jobs(std::uint32_t limit) = 0;
  [[nodiscard]] virtual JobDetails job(const std::string& job) = 0;
  /// Which node has what of the job, and why the others do not.
  [[nodiscard]] virtual JobExplanation explain(const std::string& job) = 0;
  virtual void set_scheduling(SchedulingMode mode) = 0;
  [[nodiscard]] virtual SchedulingMode scheduling() = 0;
  /// Events after `after`: once there are any, the job has ended, or after `wait`.
  [[nodiscard]] virtual JobLog logs(const std::string& job,
                                    std::uint64_t after,
                                    std::chrono::milliseconds wait) = 0;
  /// Predictions of a prediction job from `first_row` on, at most `rows_max`: once there are any,
  /// the job has ended, or after `wait`.
  [[nodiscard]] virtual JobPredictions predictions(const std::string& job,
                                                   std::uint64_t first_row,
                                                   std::uint32_t rows_max,
                                                   std::chrono::milliseconds wait) = 0;
  /// Gives the batches of a prediction job that no node has yet another size.
  virtual void set_batch_rows(const std::string& job, std::uint32_t batch_rows) = 0;
  [[nodiscard]] virtual JobStatistics job_statistics(const std::string& job) = 0;
  /// Deletes a job that has ended.
  virtual void remove(const std::string& job) = 0;
  /// Applies a retention rule, or the coordinator's own.
  [[nodiscard]] virtual Garbage collect_garbage(bool dry_run,
                                                const std::optional<Retention>& rule) = 0;
  /// The champion of each model, or the versions of one, newest first, if it has a name.
  [[nodiscard]] virtual std::vector<ModelSummary> models(const std::string& model) = 0;
  /// NAME, NAME@VERSION or NAME@ALIAS.
  [[nodiscard]] virtual ModelDetails model(const std::string& reference) = 0;
  /// Likewise.
  [[nodiscard]] virtual ModelStatistics model_statistics(const std::string& reference) = 0;
  /// The version that a model file which was put becomes, or is.
  [[nodiscard]] virtual std::uint32_t import_model(const std::string& model,
                                                   const BlobRef& file) = 0;
  /// Nothing if the alias stood for the version already.
  virtual std::optional<AliasMove> promote_model(const std::string& reference,
                                                 const std::string& alias,
                                                 bool force) = 0;
  /// Only if the alias stands for version `from`.
  virtual AliasMove roll_back_model(const std::string& model,
                                    const std::string& alias,
                                    std::uint32_t from) = 0;
  /// Version 0: all of them.
  virtual void delete_model(const std::string& model, std::uint32_t version) = 0;
  /// In order of arrival.
  [[nodiscard]] virtual std::vector<NodeStatus> nodes() = 0;
  virtual NodeStatus add_node(const Address& node) = 0;
  /// Takes a node out: returns once it has no tasks, or after `wait`.
  virtual NodeStatus remove_node(const Address& node, std::chrono::milliseconds wait) = 0;
  /// Replaces the faults of those meant. A report of each says whether it did so.
  virtual std::vector<FaultReport> set_faults(const FaultTarget& target,
                                              const FaultSettings& faults) = 0;
  /// Of all nodes in order of arrival, then of the coordinator.
  [[nodiscard]] virtual std::vector<FaultReport> faults() = 0;
  /// What NAME, NAME@VERSION or NAME@ALIAS stands for.
  [[nodiscard]] virtual ServedModel served_model(const std::string& model) = 0;
  [[nodiscard]] virtual ModelPredictions predict(const std::string& model, const RawRows& rows) = 0;
  virtual void put_blob(const Blob& blob) = 0;
  /// The blob, checked against its name.
  [[nodiscard]] virtual Blob get_blob(const BlobRef& blob) = 0;
  /// Makes the call in progress and all later ones fail at once with kUnavailable. From any thread.
  virtual void interrupt() = 0;
};

}  // namespace gradmill::client
