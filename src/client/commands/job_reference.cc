#include "client/commands/job_reference.h"

#include <vector>

#include "base/error.h"
#include "client/request/request.h"

namespace gradmill::client {

std::string job_called(const std::string& name, CoordinatorLink& link) {
  if (name != kLatestJob) {
    return name;
  }
  const std::vector<JobSummary> jobs = link.jobs(1);
  if (jobs.empty()) {
    throw Error(ErrorCode::kNotFound, "there is no job yet");
  }
  return jobs.front().job;
}

}  // namespace gradmill::client
