#include "client/report/progress.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

#include "client/report/prediction_report.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

using Clock = std::chrono::steady_clock;

/// The share of the whole job that is done.
double share_done(const JobStatus& status, std::size_t rounds_finished) {
  if (status.prediction) {
    return static_cast<double>(status.prediction->rows_done) /
           static_cast<double>(std::max<std::uint64_t>(1, status.prediction->rows));
  }
  const double shards = std::max(1U, status.shards);
  const double in_round = status.round > rounds_finished ? status.shards_done / shards : 0;
  return (static_cast<double>(rounds_finished) + in_round) / std::max(1U, status.rounds);
}

std::string bar_of(double share) {
  constexpr unsigned kBar = 24;
  const auto full = static_cast<std::size_t>(std::min(1.0, share) * kBar);
  return '[' + std::string(full, '#') + std::string(kBar - full, '.') + ']';
}

/// What holds a job that does not run; empty for others.
std::string state_text(const JobStatus& status) {
  const std::string job = "job " + status.job + ": ";
  switch (status.state) {
    case JobState::kPending:
      return job + "pending, " + std::to_string(status.ahead) + " ahead";
    case JobState::kPaused:
      return job + "paused; go on with: client job resume " + status.job;
    case JobState::kRecovering:
      return job + "recovering: the coordinator takes it up again";
    default:
      return "";
  }
}

}  // namespace

Progress::Progress(std::ostream& to, unsigned columns) : to_(to), columns_(columns) {}

void Progress::show(const FollowedJob& job) {
  const JobStatus& status = job.status;
  if (status.state != JobState::kRunning) {
    started_ = {};  // What is left is guessed from the pace since the job runs.
  } else if (started_ == Clock::time_point{}) {
    started_ = Clock::now();
    share_at_start_ = share_done(status, job.rounds.size());
  }
  if (columns_ > 0) {
    draw(job);
    return;
  }
  tell(job);
}

double Progress::seconds_running() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

std::string Progress::new_rounds(const FollowedJob& job) {
  // One write for all the news: rounds may be far shorter than a write to a slow terminal.
  std::string news;
  for (; rounds_shown_ < job.rounds.size(); ++rounds_shown_) {
    const RoundReport& round = job.rounds[rounds_shown_];
    if (round.validation_error) {
      news += printed("round %u/%u: validation error %.6f (%.2f s)\n",
                      round.round,
                      job.status.rounds,
                      *round.validation_error,
                      round.seconds);
    }
  }
  return news;
}

std::string Progress::new_rows(const PredictionStatus& rows) {
  // Batches may take a millisecond: a line for each tenth of the job is enough.
  constexpr double kTenths = 10;
  const auto tenths =
      static_cast<std::uint64_t>(kTenths * static_cast<double>(rows.rows_done) /
                                 static_cast<double>(std::max<std::uint64_t>(1, rows.rows)));
  if (tenths <= tenths_shown_) {
    return "";
  }
  tenths_shown_ = tenths;
  return "row " + std::to_string(rows.rows_done) + '/' + std::to_string(rows.rows) + pace_of(rows) +
         '\n';
}

std::string Progress::pace_of(const PredictionStatus& rows) const {
  const double done =
      static_cast<double>(rows.rows_done) - share_at_start_ * static_cast<double>(rows.rows);
  const double passed = started_ == Clock::time_point{} ? 0 : seconds_running();
  return done >= 1 && passed > 0 ? printed(", %.0f rows/s", done / passed) : "";
}

void Progress::tell(const FollowedJob& job) {
  const JobStatus& status = job.status;
  std::string news = status.prediction ? new_rows(*status.prediction) : new_rounds(job);
  if (std::string line = state_text(status); line != last_state_) {
    news += line.empty() ? "" : line + '\n';
    last_state_ = std::move(line);
  }
  if (!status.notice.empty() && status.notice != last_notice_) {
    news += status.notice + '\n';
    last_notice_ = status.notice;
  }
  if (!news.empty()) {
    to_ << news << std::flush;
  }
}

std::string Progress::round_line(const FollowedJob& job) const {
  const JobStatus& status = job.status;
  const auto round = std::max<std::size_t>(status.round, job.rounds.size());
  std::string line = printed("round %zu/%u ", round, status.rounds) +
                     bar_of(share_done(status, job.rounds.size())) +
                     printed(" %u/%u shards",
                             has_ended(status.state) ? status.shards : status.shards_done,
                             status.shards);
  const auto validated = std::find_if(job.rounds.rbegin(), job.rounds.rend(), [](const auto& one) {
    return one.validation_error.has_value();
  });
  if (validated != job.rounds.rend()) {
    line += printed(", error %.4f", *validated->validation_error);
  }
  return line;
}

std::string Progress::row_line(const PredictionStatus& rows) const {
  const double all = static_cast<double>(std::max<std::uint64_t>(1, rows.rows));
  std::string line = "row " + std::to_string(rows.rows_done) + '/' + std::to_string(rows.rows) +
                     ' ' + bar_of(static_cast<double>(rows.rows_done) / all) + pace_of(rows);
  if (const std::optional<double> accuracy = accuracy_of(rows)) {
    line += printed(", accuracy %.4f", *accuracy);
  }
  return line;
}

void Progress::draw(const FollowedJob& job) {
  const JobStatus& status = job.status;
  std::string line = state_text(status);
  if (line.empty()) {
    line = status.prediction ? row_line(*status.prediction) : round_line(job);
    const double share = share_done(status, job.rounds.size());
    const double progress = share - share_at_start_;
    if (!has_ended(status.state) && progress > 0) {
      line += ", " + time_text(std::max(1.0, seconds_running() * (1 - share) / progress)) + " left";
    }
    if (!status.notice.empty()) {
      line += ", " + status.notice;
    }
  }
  to_ << '\r' + line.substr(0, columns_ - 1) + "\x1b[K" << std::flush;
  drawn_ = true;
}

void Progress::finish() {
  if (drawn_) {
    to_ << '\n' << std::flush;
    drawn_ = false;
  }
}

}  // namespace gradmill::client
