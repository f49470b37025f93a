// What the user sees: progress on stderr, the result on stdout, files on request.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "client/request.h"
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

/// Shows how a job goes on: one redrawn line on a terminal, else a line a round. Not thread-safe.
class Progress {
 public:
  /// `columns` is the terminal's width; 0: no terminal.
  Progress(std::ostream& to, unsigned columns);
  /// Call it with every new status.
  void show(const FollowedJob& job);
  /// Ends the redrawn line, if there is one.
  void finish();

 private:
  void tell(const FollowedJob& job);
  void draw(const FollowedJob& job);

  std::ostream& to_;
  unsigned columns_;
  bool drawn_ = false;
  std::size_t rounds_shown_ = 0;
  std::string last_notice_;
  std::chrono::steady_clock::time_point started_{};
  double share_at_start_ = 0;
};

/// Writes the result of a job that has ended: the final error (and the best round, if the job could
/// stop early) as text, or one JSON object.
void write_result(std::ostream& to, const FollowedJob& job, Format format);

/// Writes a line for each node: tasks done, refused, failed.
void write_nodes(std::ostream& to, const FollowedJob& job);

/// The timing of all rounds and tasks as CSV.
[[nodiscard]] std::string timing_csv(const std::vector<RoundReport>& rounds);

}  // namespace gradmill::client
