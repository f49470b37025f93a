#include "wire/statistics_convert.h"

#include <cmath>

#include "protocol/model_name.h"
#include "wire/status_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

double number_from(double value, const char* field) {
  if (!(value >= 0) || !std::isfinite(value)) {
    throw invalid_input(std::string(field) + " is out of range");
  }
  return value;
}

DurationStatistics durations_to_wire(const gradmill::DurationStatistics& durations) {
  DurationStatistics to;
  to.mean = durations.mean;
  to.sd = durations.sd;
  to.p50 = durations.p50;
  to.p90 = durations.p90;
  to.p95 = durations.p95;
  to.p99 = durations.p99;
  return to;
}

gradmill::DurationStatistics durations_from(const DurationStatistics& durations) {
  return {.mean = number_from(durations.mean, "a mean duration"),
          .sd = number_from(durations.sd, "the deviation of a duration"),
          .p50 = number_from(durations.p50, "the median of a duration"),
          .p90 = number_from(durations.p90, "the 90th percentile of a duration"),
          .p95 = number_from(durations.p95, "the 95th percentile of a duration"),
          .p99 = number_from(durations.p99, "the 99th percentile of a duration")};
}

QueryStatistics queries_to_wire(const gradmill::QueryStatistics& queries) {
  QueryStatistics to;
  to.queries = static_cast<std::int64_t>(queries.queries);
  to.rows = static_cast<std::int64_t>(queries.rows);
  to.seconds = queries.seconds;
  to.queries_per_second = queries.queries_per_second;
  to.rows_per_second = queries.rows_per_second;
  to.queue = durations_to_wire(queries.queue);
  to.compute = durations_to_wire(queries.compute);
  to.total = durations_to_wire(queries.total);
  return to;
}

gradmill::QueryStatistics queries_from(const QueryStatistics& queries) {
  return {.queries = unsigned_from<std::uint64_t>(queries.queries, "the number of queries"),
          .rows = unsigned_from<std::uint64_t>(queries.rows, "the number of rows"),
          .seconds = number_from(queries.seconds, "the time of all queries"),
          .queries_per_second = number_from(queries.queries_per_second, "the rate of queries"),
          .rows_per_second = number_from(queries.rows_per_second, "the rate of rows"),
          .queue = durations_from(queries.queue),
          .compute = durations_from(queries.compute),
          .total = durations_from(queries.total)};
}

}  // namespace

JobStatisticsResponse to_wire(const gradmill::JobStatistics& statistics) {
  JobStatisticsResponse to;
  to.job_id = statistics.job;
  to.state = to_wire(statistics.state);
  to.predicts = statistics.predicts;
  if (statistics.tasks) {
    to.__set_tasks(queries_to_wire(*statistics.tasks));
  }
  return to;
}

gradmill::JobStatistics job_statistics_from(const JobStatisticsResponse& response) {
  gradmill::JobStatistics statistics{.job = response.job_id,
                                     .state = job_state_from(response.state),
                                     .predicts = response.predicts,
                                     .tasks = {}};
  if (response.__isset.tasks) {
    statistics.tasks = queries_from(response.tasks);
  }
  return statistics;
}

ModelStatisticsResponse to_wire(const gradmill::ModelStatistics& statistics) {
  ModelStatisticsResponse to;
  to.model = statistics.model;
  to.version = statistics.version;
  to.requests = queries_to_wire(statistics.requests);
  to.batches = queries_to_wire(statistics.batches);
  return to;
}

gradmill::ModelStatistics model_statistics_from(const ModelStatisticsResponse& response) {
  check_model_name(response.model);
  return {.model = response.model,
          .version = unsigned_from<std::uint32_t>(response.version, "the version"),
          .requests = queries_from(response.requests),
          .batches = queries_from(response.batches)};
}

}  // namespace gradmill::wire
