// Where a job's tasks are, as users see it.
#pragma once

#include <iosfwd>

#include "client/request/request.h"
#include "protocol/job_explanation.h"

namespace gradmill::client {

/// A row a node, or one JSON object.
void write_explanation(std::ostream& to, const JobExplanation& job, Format format);

}  // namespace gradmill::client
