// Jobs between the generated Thrift types and our own.
#pragma once

#include <wire/coordinator_types.h>

#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] JobSpecification to_wire(const gradmill::JobSpecification& specification);
[[nodiscard]] gradmill::JobSpecification specification_from(const JobSpecification& specification);

[[nodiscard]] JobState::type to_wire(gradmill::JobState state);
[[nodiscard]] gradmill::JobState job_state_from(JobState::type state);

[[nodiscard]] JobStatus to_wire(const gradmill::JobStatus& status);
[[nodiscard]] gradmill::JobStatus status_from(const JobStatus& status);

}  // namespace gradmill::wire
