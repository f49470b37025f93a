// Statistics of queries, between the generated Thrift types and our own.
#pragma once

#include <wire/coordinator_types.h>

#include "protocol/query_statistics.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] JobStatisticsResponse to_wire(const gradmill::JobStatistics& statistics);
[[nodiscard]] gradmill::JobStatistics job_statistics_from(const JobStatisticsResponse& response);

[[nodiscard]] ModelStatisticsResponse to_wire(const gradmill::ModelStatistics& statistics);
[[nodiscard]] gradmill::ModelStatistics model_statistics_from(
    const ModelStatisticsResponse& response);

}  // namespace gradmill::wire
