// How long queries took, as the coordinator tells it and the client shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/job_status.h"

namespace gradmill {

/// Of durations, in seconds. Quantiles are within 2 %; the mean and the standard deviation (of a
/// sample) are exact.
struct DurationStatistics {
  double mean = 0;
  double sd = 0;
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;

  friend bool operator==(const DurationStatistics&, const DurationStatistics&) = default;
};

/// Of queries that were answered: tasks of a job, or requests for predictions.
struct QueryStatistics {
  std::uint64_t queries = 0;
  std::uint64_t rows = 0;
  double seconds = 0;             ///< From when the first one came to the last answer.
  double queries_per_second = 0;  ///< Over the last 10 s, or since the first one came.
  double rows_per_second = 0;     ///< Likewise.
  DurationStatistics queue;       ///< From when it could go to a node until it went.
  DurationStatistics compute;     ///< As the node measured it.
  DurationStatistics total;       ///< From when it could go to a node to the answer.

  friend bool operator==(const QueryStatistics&, const QueryStatistics&) = default;
};

/// Of a job; its queries are its tasks.
struct JobStatistics {
  std::string job;
  JobState state = JobState::kPending;
  bool predicts = false;  ///< It is a prediction job, not one that trains.
  /// Since the coordinator's start or, of a job that has ended, since the start before its end.
  /// Absent: they were not kept.
  std::optional<QueryStatistics> tasks{};
};

/// Of a version of a model, since the coordinator's start.
struct ModelStatistics {
  std::string model;
  std::uint32_t version = 0;
  QueryStatistics requests;  ///< For predictions at once.
  QueryStatistics batches;   ///< Of prediction jobs.
};

}  // namespace gradmill
