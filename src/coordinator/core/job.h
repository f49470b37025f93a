// A job at the coordinator: its specification, its progress and its end.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/round.h"
#include "ml/server_optimizer.h"
#include "protocol/job_specification.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// A job as it is submitted to the scheduler.
struct JobSubmission {
  std::string id;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> shard_rows;  ///< The coordinator's own counts, one a shard, >= 1.
  Blob weights;                           ///< Where the first round starts from.
};

/// A round that gave the next one its weights, and whose validation error is not known yet.
struct AdvancedRound {
  RoundReport report;
  Blob weights;
};

/// An end that is decided and waits for the validation of the rounds before it.
struct JobConclusion {
  JobState state = JobState::kSucceeded;
  JobEnd end;
};

/// A job's state. A single-threaded value, changed by the scheduler alone.
struct Job {
  std::string id;
  std::shared_ptr<const JobSpecification> specification;
  Digest digest;
  std::vector<std::uint64_t> shard_rows;
  JobState state = JobState::kPending;
  std::uint64_t version = 1;  ///< Rises with every change that a follower may see.
  /// Of the last finished round, or of best_round if there is one; only its name once ended.
  Blob weights;
  std::uint32_t best_round = 0;        ///< With early_stop: the first of the lowest error; else 0.
  Blob round_weights;                  ///< Where the current round starts from.
  std::optional<Round> round;          ///< Running: unless nothing is left to train.
  bool advancing = false;              ///< An AdvanceRound of it is out.
  std::deque<AdvancedRound> advanced;  ///< Oldest first.
  /// The server's optimiser after the last advanced round. Shared with the action that advances.
  std::shared_ptr<const ml::ServerState> server;
  std::vector<RoundReport> finished;  ///< The rounds whose error is known.
  std::optional<JobConclusion> conclusion;
  std::map<NodeId, NodeTally> tallies;
  JobEnd end;
};

}  // namespace gradmill::coordinator
