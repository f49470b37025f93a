// How jobs stand, and what is to become of them, between the generated Thrift types and our own.
#pragma once

#include <string>
#include <vector>

#include <wire/coordinator_types.h>

#include "protocol/job_status.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] JobState::type to_wire(gradmill::JobState state);
[[nodiscard]] gradmill::JobState job_state_from(JobState::type state);

[[nodiscard]] JobStatus to_wire(const gradmill::JobStatus& status);
[[nodiscard]] gradmill::JobStatus status_from(const JobStatus& status);

[[nodiscard]] JobCommand::type to_wire(gradmill::JobCommand command);
[[nodiscard]] gradmill::JobCommand command_from(JobCommand::type command);

[[nodiscard]] ControlJobResponse to_wire(const std::string& job,
                                         const gradmill::JobControl& control);
[[nodiscard]] gradmill::JobControl control_from(const ControlJobResponse& response);

[[nodiscard]] ListJobsResponse to_wire(const std::vector<gradmill::JobSummary>& jobs);
[[nodiscard]] std::vector<gradmill::JobSummary> summaries_from(const ListJobsResponse& response);

}  // namespace gradmill::wire
