// Why a job's tasks are where they are.
#pragma once

#include "coordinator/core/scheduler/scheduler.h"
#include "protocol/job_explanation.h"

namespace gradmill::coordinator {

/// Of a job of this scheduler. Looks at what is, and changes nothing.
[[nodiscard]] JobExplanation explain(const Scheduler& scheduler, const Job& job, TimePoint now);

}  // namespace gradmill::coordinator
