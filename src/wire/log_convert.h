// Logs of jobs between the generated Thrift types and our own.
#pragma once

#include <wire/coordinator_types.h>

#include "protocol/job_event.h"

namespace gradmill::wire {

[[nodiscard]] JobLogsResponse to_wire(const gradmill::JobLog& log);
/// Throws Error(kInvalidInput) that names the field, also when events are not in order.
[[nodiscard]] gradmill::JobLog log_from(const JobLogsResponse& response);

}  // namespace gradmill::wire
