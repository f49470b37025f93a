// The client's way to the coordinator.
#pragma once

#include <chrono>
#include <vector>

#include "base/blob.h"
#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill::client {

/// One connection to one coordinator, made when it is needed. Every call has a deadline of seconds
/// and throws Error: kUnreachable when the coordinator does not answer as it should, others as it
/// says. For one thread at a time, except interrupt().
class CoordinatorLink {
 public:
  virtual ~CoordinatorLink() = default;
  /// Submits the job, or returns the blobs to put first.
  [[nodiscard]] virtual std::vector<Digest> submit(const std::string& id,
                                                   const JobSpecification& specification) = 0;
  /// How the job stands: once it has changed, or after `wait`.
  [[nodiscard]] virtual JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait) = 0;
  /// The job's state after the call.
  virtual JobState cancel(const std::string& job) = 0;
  virtual void put_blob(const Blob& blob) = 0;
  /// The blob, checked against its name.
  [[nodiscard]] virtual Blob get_blob(const BlobRef& blob) = 0;
  /// Makes the call in progress and all later ones fail at once with kUnavailable. From any thread.
  virtual void interrupt() = 0;
};

}  // namespace gradmill::client
