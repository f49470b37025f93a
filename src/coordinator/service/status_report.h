// What followers are told of a job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"
#include "protocol/job_details.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// How many reports of finished rounds an answer to `query` has. They are cut after some thousand
/// tasks, so that one answer stays small; the follower asks again with a higher rounds_known.
[[nodiscard]] std::uint32_t reports_due(const Job& job, const JobQuery& query);

/// The answer to `query` about `job`; without reports where the job has none in memory.
[[nodiscard]] JobStatus report_status(const Scheduler& scheduler,
                                      const Job& job,
                                      const JobQuery& query,
                                      TimePoint now);

/// The job with all that was asked of it. Its round is the last finished one, as in a list of jobs.
[[nodiscard]] JobDetails report_details(const Scheduler& scheduler, const Job& job, TimePoint now);

/// What a list of jobs shows of it.
[[nodiscard]] JobSummary summarize(const Job& job);

/// The command that nodes have yet to acknowledge: "cancel", "pause", or empty.
[[nodiscard]] std::string asked_of(const Job& job);

/// Ended jobs that the rule lets go, oldest first.
[[nodiscard]] std::vector<std::string> expired_jobs(const Scheduler& scheduler,
                                                    const Retention& rule,
                                                    TimePoint now);

}  // namespace gradmill::coordinator
