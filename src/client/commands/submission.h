// Everything of a training job that goes to the coordinator.
#pragma once

#include <string>
#include <vector>

#include "base/blob.h"
#include "client/link/coordinator_link.h"
#include "client/request/request.h"
#include "protocol/job_specification.h"
#include "protocol/job_terms.h"

namespace gradmill::client {

struct Submission {
  JobSpecification specification;
  std::vector<Blob> blobs;  ///< Of the specification.
  JobTerms terms;
  std::string notice{};  ///< What the user should know of the files, in a line; else empty.
};

/// Reads all files. Throws Error(kInvalidInput) for whatever the coordinator would refuse.
[[nodiscard]] Submission prepare(const TrainRequest& request);

/// Submits the job as `id`, and puts whatever blobs the coordinator lacks. Throws Error.
void submit(CoordinatorLink& link, const std::string& id, const Submission& submission);

}  // namespace gradmill::client
