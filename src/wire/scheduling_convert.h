// How jobs share the nodes, between the generated Thrift types and our own.
#pragma once

#include <wire/coordinator_types.h>

#include "protocol/job_explanation.h"
#include "protocol/job_share.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] SchedulingMode::type to_wire(gradmill::SchedulingMode mode);
[[nodiscard]] gradmill::SchedulingMode scheduling_from(SchedulingMode::type mode);

[[nodiscard]] ExplainJobResponse to_wire(const gradmill::JobExplanation& explanation);
[[nodiscard]] gradmill::JobExplanation explanation_from(const ExplainJobResponse& response);

}  // namespace gradmill::wire
