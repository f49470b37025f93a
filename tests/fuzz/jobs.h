// A small job, for the seeds and for a coordinator that is to have one.
#pragma once

#include <memory>
#include <vector>

#include "base/blob.h"
#include "coordinator/core/record.h"
#include "protocol/job_specification.h"

namespace gradmill::fuzz {

/// Two rows of one feature.
[[nodiscard]] Blob shard();
/// Of the job below, before its first round.
[[nodiscard]] Blob weights();
/// A job on that shard: two rounds of one epoch, and six parameters.
[[nodiscard]] std::shared_ptr<const JobSpecification> specification();
/// Its last round.
[[nodiscard]] RoundReport report();
/// What a store has of it under the name "done", once it has succeeded.
[[nodiscard]] std::vector<coordinator::Record> finished_job();

}  // namespace gradmill::fuzz
