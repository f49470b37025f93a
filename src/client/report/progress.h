// How a job goes on, for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "client/report/report.h"

namespace gradmill::client {

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
  /// What happened since the last line, of a training or a prediction job; may be empty.
  [[nodiscard]] std::string new_rounds(const FollowedJob& job);
  [[nodiscard]] std::string new_rows(const PredictionStatus& rows);
  /// How far a job that runs is, in one line.
  [[nodiscard]] std::string round_line(const FollowedJob& job) const;
  [[nodiscard]] std::string row_line(const PredictionStatus& rows) const;
  /// Rows a second since the job runs; empty before there is a pace.
  [[nodiscard]] std::string pace_of(const PredictionStatus& rows) const;
  [[nodiscard]] double seconds_running() const;

  std::ostream& to_;
  unsigned columns_;
  bool drawn_ = false;
  std::size_t rounds_shown_ = 0;
  std::uint64_t tenths_shown_ = 0;  // of the rows of a prediction job
  std::string last_state_;          // as told, of a job that does not run
  std::string last_notice_;
  std::chrono::steady_clock::time_point started_{};
  double share_at_start_ = 0;
};

}  // namespace gradmill::client
