// A job with everything that was asked of it.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/job_specification.h"
#include "protocol/job_status.h"
#include "protocol/job_terms.h"

namespace gradmill {

struct JobDetails {
  JobStatus status;  ///< Without reports of rounds; its round is the last finished one.
  JobSpecification specification;
  std::vector<std::uint64_t> shard_rows;  ///< One a training shard.
  JobTerms terms;
};

}  // namespace gradmill
