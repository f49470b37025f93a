// Jobs as users see them.
#pragma once

#include <iosfwd>
#include <vector>

#include "client/request/request.h"
#include "protocol/job_details.h"
#include "protocol/job_status.h"

namespace gradmill::client {

/// A row a job in the order given, or a JSON array.
void write_jobs(std::ostream& to, const std::vector<JobSummary>& jobs, Format format);

/// A line a property, or one JSON object.
void write_details(std::ostream& to, const JobDetails& job, Format format);

}  // namespace gradmill::client
