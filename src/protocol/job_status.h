// How a job stands, as the coordinator tells it and the client shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "protocol/job_share.h"

namespace gradmill {

/// States of a job, as users see them in lower case.
enum class JobState { kPending, kRunning, kRecovering, kPaused, kSucceeded, kFailed, kCancelled };

[[nodiscard]] std::string_view name_of(JobState state);
[[nodiscard]] constexpr bool has_ended(JobState state) { return state >= JobState::kSucceeded; }

/// Timing of one task of a finished round, in seconds.
struct TaskReport {
  std::uint32_t shard = 0;
  std::string node;     ///< host:port
  double transfer = 0;  ///< Calls, less compute and simulated load.
  double compute = 0;   ///< Training on the node.
  double wait = 0;      ///< From the start of the round to the offer that was accepted, and load.
  std::uint32_t epochs = 0;
  double loss = 0;           ///< Summed cross-entropy; see ml::TrainingResult.
  std::uint32_t offers = 0;  ///< Made of it in this round, to whatever node.
};

/// A finished, that is durable, round. Seconds.
struct RoundReport {
  std::uint32_t round = 0;                 ///< From 1.
  std::optional<double> validation_error;  ///< If the round was validated.
  double seconds = 0;
  double aggregate = 0;
  double validate = 0;
  std::vector<TaskReport> tasks;       ///< In shard order; empty where nobody asked for them.
  std::vector<std::uint32_t> missing;  ///< Shards that the round went without, ascending.
};

/// What a node did for a job.
struct NodeReport {
  std::string node;           ///< host:port
  std::uint64_t tasks = 0;    ///< Results that counted.
  std::uint64_t refused = 0;  ///< Offers refused by simulated load.
  std::uint64_t failed = 0;   ///< Offers that ended in a fault of the node.
};

/// What a follower wants to hear.
struct JobQuery {
  std::string job;
  std::uint64_t version = 0;       ///< Of the last answer.
  std::uint32_t rounds_known = 0;  ///< Reports of later rounds are sent.
  bool with_tasks = false;         ///< Also the timing of each task.
  /// Unless the job has ended or this is the first query, gather news for so long.
  std::chrono::milliseconds gather{0};
};

/// How far a prediction job is.
struct PredictionStatus {
  std::uint64_t rows = 0;        ///< Of the whole job.
  std::uint64_t rows_done = 0;   ///< From the first on: durable, so that they can be fetched.
  std::uint64_t wrong = 0;       ///< Of these, where rows have labels.
  std::uint32_t batch_rows = 0;  ///< Of the batches to come.
  bool labelled = false;         ///< As in PredictionPlan, as the next two.
  std::string model{};
  std::uint32_t version = 0;
};

/// How a job stands.
struct JobStatus {
  std::string job;
  std::uint64_t version = 0;  ///< Rises with every change.
  JobState state = JobState::kPending;
  std::uint32_t ahead = 0;  ///< Pending: jobs that run before this one.
  std::uint32_t rounds = 0;
  std::uint32_t round = 0;  ///< Running: the current one, from 1.
  std::uint32_t shards = 0;
  std::uint32_t shards_done = 0;      ///< Of the current round.
  std::vector<RoundReport> finished;  ///< From rounds_known + 1 on; perhaps not yet all.
  std::vector<NodeReport> nodes;
  std::string reason;   ///< Ended: succeeded, cancelled, no_capacity, shard_failed, ...
  std::string message;  ///< Ended: a sentence for people.
  BlobRef
      parameters;  ///< The weights of the last finished round, or of best_round if there is one.
  std::uint32_t best_round =
      0;               ///< Jobs with early_stop: the round of lowest error so far; else 0.
  std::string notice;  ///< Running: what holds it up, if anything.
  bool exact = true;   ///< No round went without a shard.
  std::int64_t submitted_ms = 0;  ///< Since 1970.
  std::int64_t ended_ms = 0;      ///< Likewise; 0 while it has not ended.
  std::string asked;  ///< "cancel" or "pause", while some node has yet to acknowledge it.
  std::optional<PredictionStatus> prediction{};  ///< Of prediction jobs, whose rounds are 0.
  /// Succeeded: what the registry has its result as, NAME@VERSION; empty if it has not.
  std::string registered{};
};

/// What is to become of a job.
enum class JobCommand { kCancel, kPause, kResume };

/// How a job stands after a command.
struct JobControl {
  JobState state = JobState::kPending;
  std::string asked;  ///< As in JobStatus.
};

/// What a list of jobs shows of each; as in JobStatus.
struct JobSummary {
  std::string job;
  SchedulingMode scheduling = SchedulingMode::kGlobal;  ///< Of all jobs.
  JobShare share;
  JobState state = JobState::kPending;
  std::uint32_t round = 0;  ///< Finished ones.
  std::uint32_t rounds = 0;
  std::uint32_t shards = 0;
  std::optional<double> validation_error;  ///< Of the last validated round.
  std::int64_t submitted_ms = 0;
  std::int64_t ended_ms = 0;
  std::string reason;
  std::string message;  ///< Before the job has ended, its notice.
  bool exact = true;
  std::optional<PredictionStatus> prediction{};
  std::uint64_t tasks = 0;  ///< Results that counted.
  std::string registered{};
};

}  // namespace gradmill
