// From what a job trained, or a file says, to a version of a model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/record.h"
#include "ml/trainer.h"
#include "protocol/job_specification.h"
#include "protocol/model.h"

namespace gradmill::coordinator {

/// A job that has succeeded, though nobody may know yet.
struct TrainedJob {
  std::string job;
  std::string model;
  std::shared_ptr<const JobSpecification> specification;
  std::uint32_t round = 0;  ///< Whose weights the result is.
  Blob weights;
  std::vector<RoundError> errors;
};

/// Its version, without a number; the model file is that which a client would write of the job. The
/// validation rows, which must be in `blobs`, go through the network once more. Throws whatever
/// they throw.
[[nodiscard]] ModelAdded version_of(const TrainedJob& job,
                                    std::int64_t now_ms,
                                    BlobCache& blobs,
                                    ml::Trainer& trainer);

/// A version from a model file, without a number. Throws Error(kInvalidInput) unless every byte
/// of the file makes sense, and it says which activation it is for.
[[nodiscard]] ModelAdded imported_version(const std::string& model,
                                          const Blob& file,
                                          std::int64_t now_ms);

}  // namespace gradmill::coordinator
