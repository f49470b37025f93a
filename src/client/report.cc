#include "client/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

#include <nlohmann/json.hpp>

namespace gradmill::client {
namespace {

using Clock = std::chrono::steady_clock;

template <class... A>
std::string printed(const char* format, A... values) {
  std::array<char, 256> text{};
  const int length = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 255))};
}

/// The share of the whole job that is done.
double share_done(const JobStatus& status, std::size_t rounds_finished) {
  const double shards = std::max(1U, status.shards);
  const double in_round = status.round > rounds_finished ? status.shards_done / shards : 0;
  return (static_cast<double>(rounds_finished) + in_round) / std::max(1U, status.rounds);
}

std::string time_text(double seconds) {
  if (seconds < 60) {
    return printed("%.0f s", std::max(1.0, seconds));
  }
  if (seconds < 3600) {
    return printed("%.0f min", seconds / 60);
  }
  return printed("%.1f h", seconds / 3600);
}

std::string pending_text(const JobStatus& status) {
  return "job " + status.job + ": pending, " + std::to_string(status.ahead) + " ahead";
}

}  // namespace

const RoundReport* result_round(const FollowedJob& job) {
  const std::uint32_t best = job.status.best_round;
  const auto found = std::find_if(
      job.rounds.begin(), job.rounds.end(), [&](const auto& round) { return round.round == best; });
  if (found != job.rounds.end()) {
    return &*found;
  }
  return job.rounds.empty() ? nullptr : &job.rounds.back();
}

Progress::Progress(std::ostream& to, unsigned columns) : to_(to), columns_(columns) {}

void Progress::show(const FollowedJob& job) {
  const JobStatus& status = job.status;
  if (status.state == JobState::kRunning && started_ == Clock::time_point{}) {
    started_ = Clock::now();
    share_at_start_ = share_done(status, job.rounds.size());
  }
  if (columns_ > 0) {
    draw(job);
    return;
  }
  tell(job);
}

void Progress::tell(const FollowedJob& job) {
  // One write for all the news: rounds may be far shorter than a write to a slow terminal.
  const JobStatus& status = job.status;
  std::string news;
  if (status.state == JobState::kPending && pending_text(status) != last_notice_) {
    last_notice_ = pending_text(status);
    news += last_notice_ + '\n';
  }
  for (; rounds_shown_ < job.rounds.size(); ++rounds_shown_) {
    const RoundReport& round = job.rounds[rounds_shown_];
    if (round.validation_error) {
      news += printed("round %u/%u: validation error %.6f (%.2f s)\n",
                      round.round,
                      status.rounds,
                      *round.validation_error,
                      round.seconds);
    }
  }
  if (!status.notice.empty() && status.notice != last_notice_) {
    news += status.notice + '\n';
    last_notice_ = status.notice;
  }
  if (!news.empty()) {
    to_ << news << std::flush;
  }
}

void Progress::draw(const FollowedJob& job) {
  const JobStatus& status = job.status;
  std::string line;
  if (status.state == JobState::kPending) {
    line = pending_text(status);
  } else {
    constexpr unsigned kBar = 24;
    const double share = share_done(status, job.rounds.size());
    const auto full = static_cast<std::size_t>(share * kBar);
    const auto round = std::max<std::size_t>(status.round, job.rounds.size());
    line = printed("round %zu/%u ", round, status.rounds) + '[' + std::string(full, '#') +
           std::string(kBar - full, '.') + ']' +
           printed(" %u/%u shards",
                   has_ended(status.state) ? status.shards : status.shards_done,
                   status.shards);
    const auto validated =
        std::find_if(job.rounds.rbegin(), job.rounds.rend(), [](const auto& one) {
          return one.validation_error.has_value();
        });
    if (validated != job.rounds.rend()) {
      line += printed(", error %.4f", *validated->validation_error);
    }
    const double passed = std::chrono::duration<double>(Clock::now() - started_).count();
    const double progress = share - share_at_start_;
    if (!has_ended(status.state) && progress > 0) {
      line += ", " + time_text(passed * (1 - share) / progress) + " left";
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

namespace {

/// Null for a round that was not validated.
nlohmann::ordered_json error_in_json(const std::optional<double>& error) {
  return error ? nlohmann::ordered_json(*error) : nlohmann::ordered_json();
}

}  // namespace

void write_result(std::ostream& to, const FollowedJob& job, Format format) {
  const JobStatus& status = job.status;
  const RoundReport* const round = result_round(job);
  if (format == Format::kText) {
    if (status.state == JobState::kSucceeded && round != nullptr && round->validation_error) {
      to << printed("final validation error: %.6f\n", *round->validation_error);
      if (status.best_round > 0) {
        to << "best round: " << status.best_round << '\n';
      }
      to << std::flush;
    }
    return;
  }
  using nlohmann::ordered_json;
  ordered_json result;
  result["job_id"] = status.job;
  result["state"] = name_of(status.state);
  if (status.state != JobState::kSucceeded) {
    result["reason"] = status.reason;
    result["message"] = status.message;
  }
  result["validation_error"] =
      round == nullptr ? ordered_json() : error_in_json(round->validation_error);
  if (status.best_round > 0) {
    result["best_round"] = status.best_round;
  }
  result["rounds"] = ordered_json::array();
  for (const RoundReport& one : job.rounds) {
    result["rounds"].push_back({{"round", one.round},
                                {"validation_error", error_in_json(one.validation_error)},
                                {"seconds", one.seconds}});
  }
  result["nodes"] = ordered_json::array();
  for (const NodeReport& node : status.nodes) {
    result["nodes"].push_back({{"node", node.node},
                               {"tasks", node.tasks},
                               {"refused", node.refused},
                               {"failed", node.failed}});
  }
  result["parameters_sha256"] = status.parameters.digest.hex();
  to << result.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n' << std::flush;
}

void write_nodes(std::ostream& to, const FollowedJob& job) {
  for (const NodeReport& node : job.status.nodes) {
    to << "node " << node.node << ": " << node.tasks << " tasks, " << node.refused << " refused, "
       << node.failed << " failed\n";
  }
  to << std::flush;
}

std::string timing_csv(const std::vector<RoundReport>& rounds) {
  // A round's transfer, compute and wait are the sums over its tasks.
  std::string csv =
      "row,round,shard,node,seconds,transfer,compute,wait,aggregate,validate,epochs,loss\n";
  for (const RoundReport& round : rounds) {
    TaskReport sum;
    for (const TaskReport& task : round.tasks) {
      sum.transfer += task.transfer;
      sum.compute += task.compute;
      sum.wait += task.wait;
    }
    csv += printed("round,%u,,,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,,\n",
                   round.round,
                   round.seconds,
                   sum.transfer,
                   sum.compute,
                   sum.wait,
                   round.aggregate,
                   round.validate);
    for (const TaskReport& task : round.tasks) {
      csv += printed("task,%u,%u,", round.round, task.shard + 1) + task.node +
             printed(",%.6f,%.6f,%.6f,%.6f,,,%u,%.6f\n",
                     task.wait + task.transfer + task.compute,
                     task.transfer,
                     task.compute,
                     task.wait,
                     task.epochs,
                     task.loss);
    }
  }
  return csv;
}

}  // namespace gradmill::client
