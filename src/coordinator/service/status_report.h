// What followers are told of a job.
#pragma once

#include "coordinator/core/scheduler.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// The answer to `query` about `job`. Reports of finished rounds are cut after some thousand tasks,
/// so that one answer stays small; the follower asks again with a higher rounds_known.
[[nodiscard]] JobStatus report_status(const Scheduler& scheduler,
                                      const Job& job,
                                      const JobQuery& query,
                                      TimePoint now);

}  // namespace gradmill::coordinator
