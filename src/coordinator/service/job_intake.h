// From a submitted specification to a job that can run.
#pragma once

#include <memory>

#include "base/blob_cache.h"
#include "coordinator/core/job/job.h"
#include "ml/shard.h"
#include "protocol/job_specification.h"

namespace gradmill::coordinator {

/// Reads the job's blobs, all of which are in `blobs`: counts the rows of each shard, checks that
/// features and labels suit the topology, and makes the weights of the first round. Throws
/// Error(kInvalidInput) that names the shard.
[[nodiscard]] JobSubmission admit_job(const std::string& id,
                                      std::shared_ptr<const JobSpecification> specification,
                                      BlobCache& blobs);

/// The same of a prediction job, whose model file was found: checks that both go together.
[[nodiscard]] JobSubmission admit_prediction(const std::string& id,
                                             std::shared_ptr<const JobSpecification> specification,
                                             const Blob& model_file,
                                             BlobCache& blobs);

/// Throws Error(kInvalidInput) unless so many rows of this size can travel in one call.
void check_batch_bytes(std::uint32_t rows, std::uint64_t row_bytes);

/// The shard in a blob that the job has pinned.
[[nodiscard]] ml::Shard pinned_shard(const BlobRef& ref, BlobCache& blobs);

}  // namespace gradmill::coordinator
