// What the user sees at the end of a job: the result on stdout, its timing on request.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "client/request/request.h"
#include "protocol/job_status.h"

namespace gradmill::client {

/// A job as followed so far: the newest status, with the reports of all its rounds.
struct FollowedJob {
  JobStatus status;
  std::vector<RoundReport> rounds;
};

/// The round whose weights and error are the job's result: the best one of a job that stops early,
/// else the last one. Null before the first round has finished.
[[nodiscard]] const RoundReport* result_round(const FollowedJob& job);

/// Writes the result of a job that has ended: the final error (and the best round, if the job could
/// stop early, and what rounds went without, if they did) as text, or one JSON object.
void write_result(std::ostream& to, const FollowedJob& job, Format format);

/// Writes a line for each node: tasks done, refused, failed.
void write_nodes(std::ostream& to, const FollowedJob& job);

/// The timing of all rounds and tasks, and how often each was offered, as CSV.
[[nodiscard]] std::string timing_csv(const std::vector<RoundReport>& rounds);

}  // namespace gradmill::client
