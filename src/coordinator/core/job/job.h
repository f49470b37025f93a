// A job at the coordinator: its specification, its progress and its end.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/job/batches.h"
#include "coordinator/core/record.h"
#include "coordinator/core/round/round.h"
#include "coordinator/core/shares/fair_share.h"
#include "ml/server_optimizer.h"
#include "protocol/job_share.h"
#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// A job as it is submitted to the scheduler.
struct JobSubmission {
  std::string id;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> shard_rows;  ///< The coordinator's own counts, one a shard, >= 1.
  Blob weights;                           ///< Where the first round starts from, or the model file.
  std::vector<Blob> blobs;                ///< Every blob of the specification.
  JobShare share{};
  std::string model{};  ///< As in JobAdded.
};

/// A round that gave the next one its weights, and is not finished: its validation error is not
/// known yet, or not durable.
struct AdvancedRound {
  RoundReport report;
  Blob weights;
  std::shared_ptr<const ml::ServerState> server;
  std::map<std::string, NodeTally> tallies;  ///< Up to the end of this round, by host:port.
  bool validated = false;
};

/// An end that is decided and waits for the validation of the rounds before it.
struct JobConclusion {
  JobState state = JobState::kSucceeded;
  JobEnd end;
};

/// A change of state that is decided and waits to be durable and, where nodes must acknowledge it,
/// for all offers of the job to be answered.
struct JobMove {
  JobState to = JobState::kPending;
  JobEnd end;
  bool by_command = false;  ///< The nodes must acknowledge it.
  bool durable = false;
  std::int64_t ended_ms = 0;  ///< On the wall, if it ends the job.
};

/// How far a prediction job is. Its rows are cut into the tasks of a round, some time ahead of the
/// nodes, and what is predicted from the first row on is saved from time to time.
struct PredictionProgress {
  std::uint64_t rows = 0;               ///< Of the whole job.
  std::uint32_t batch_rows = 0;         ///< Of batches to come.
  std::vector<PredictedRange> durable;  ///< In order from row 0 on, without their bytes.
  std::uint64_t rows_durable = 0;
  std::uint64_t wrong_durable = 0;  ///< Of these rows.
  std::uint64_t rows_saved = 0;     ///< Durable, or on the way there.
  std::uint64_t wrong_saved = 0;
  std::uint64_t rows_in = 0;        ///< Predicted, up to the first one that is not.
  std::uint64_t rows_cut = 0;       ///< Saved, or in batches.
  std::uint32_t rounds = 0;         ///< Begun since the coordinator's start.
  std::deque<Batch> batches;        ///< The tasks of the current round that are not saved.
  std::uint32_t batches_saved = 0;  ///< Of the round.
  std::uint32_t batches_in = 0;     ///< Of the round: those of rows_in.
  TimePoint begun_at{};             ///< At this start.
  TimePoint saved_at{};             ///< When the last range was given to be saved.

  /// A task of the current round that is not saved.
  [[nodiscard]] const Batch& batch(std::uint32_t task) const {
    return batches.at(task - batches_saved);
  }
};

/// A job's state. A single-threaded value, changed by the scheduler alone.
struct Job {
  std::string id;
  JobNumber number = 0;     ///< Given by the job table.
  std::uint64_t place = 0;  ///< Likewise: waiting, its order among jobs of the same priority.
  JobShare share;
  std::shared_ptr<const JobSpecification> specification;
  Digest digest;
  std::string model;  ///< As in JobAdded.
  std::vector<std::uint64_t> shard_rows;
  std::optional<PredictionProgress> prediction;  ///< Prediction jobs only.
  double work_per_row = 1;     ///< What a row costs, by the specification; in no unit.
  double seconds_per_row = 0;  ///< Measured of a slot: moving average over its tasks; 0: unknown.
  JobState state = JobState::kPending;
  std::uint64_t version = 1;  ///< Rises with every change that a follower may see.
  std::int64_t submitted_ms = 0;
  std::int64_t ended_ms = 0;

  /// After the last finished round; weights without their bytes once the job has ended.
  Checkpoint durable;
  /// The rounds up to it, without tasks; none where the store alone has those of an ended job.
  std::vector<RoundReport> finished;
  std::optional<double> validation_error;  ///< Of the last validated one, if they are not here.

  /// After the last validated round: what `durable` will be once all records are.
  Checkpoint validated;
  std::deque<AdvancedRound> advanced;      ///< Not finished, oldest first.
  std::optional<TimePoint> unsaved_since;  ///< Since when a validated round is not durable.
  Blob round_weights;                      ///< Where the current round starts from.
  /// The server's optimiser after the last advanced round. Shared with the action that advances.
  std::shared_ptr<const ml::ServerState> server;
  std::optional<Round> round;  ///< Running: unless nothing is left to train, or a save is awaited.
  bool crowded_out = false;    ///< No node is at work on it, since other jobs hold their slots.
  bool advancing = false;      ///< An AdvanceRound of it is out.
  /// Answers to come about rounds that were dropped, before those about the current ones.
  std::size_t stale_steps = 0;
  std::size_t stale_validations = 0;
  std::uint64_t last_offer = 0;     ///< The highest number that any of its offers has.
  std::uint64_t offers_before = 0;  ///< Numbers up to this one may be those of a dropped round.
  std::optional<JobConclusion> conclusion;
  std::optional<JobMove> move;
  std::map<NodeId, NodeTally> tallies;
  std::map<std::string, NodeTally> earlier_tallies;  ///< From before the coordinator's start.
  JobEnd end;

  [[nodiscard]] WorkKind kind() const {
    return prediction ? WorkKind::kPrediction : WorkKind::kTraining;
  }
  /// Rows of a task of the current round.
  [[nodiscard]] std::uint64_t rows_of(std::uint32_t task) const {
    return prediction ? prediction->batch(task).rows.count : shard_rows[task];
  }
  /// The last round that gave the next one its weights.
  [[nodiscard]] std::uint32_t rounds_advanced() const {
    return durable.round + static_cast<std::uint32_t>(advanced.size());
  }
};

}  // namespace gradmill::coordinator
