// A job with everything that was asked of it.
#pragma once

#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill {

struct JobDetails {
  JobStatus status;  ///< Without reports of rounds; its round is the last finished one.
  JobSpecification specification;
};

}  // namespace gradmill
