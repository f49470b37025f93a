// Jobs, as they are submitted, between the generated Thrift types and our own.
#pragma once

#include <wire/coordinator_types.h>

#include "protocol/job_details.h"
#include "protocol/job_specification.h"
#include "protocol/job_terms.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] JobSpecification to_wire(const gradmill::JobSpecification& specification);
[[nodiscard]] gradmill::JobSpecification specification_from(const JobSpecification& specification);

/// All of the request but the id and the specification.
[[nodiscard]] gradmill::JobTerms terms_from(const SubmitJobRequest& request);
[[nodiscard]] GetJobResponse to_wire(const gradmill::JobDetails& details);
[[nodiscard]] gradmill::JobDetails details_from(const GetJobResponse& response);

}  // namespace gradmill::wire
