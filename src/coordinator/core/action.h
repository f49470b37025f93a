// What the scheduler asks of its surroundings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/blob.h"
#include "coordinator/core/policy/policy.h"
#include "coordinator/core/record.h"
#include "coordinator/core/task.h"
#include "ml/server_optimizer.h"
#include "protocol/job_event.h"
#include "protocol/job_specification.h"

namespace gradmill::coordinator {

/// Offer this task to this node. The caller answers with exactly one of task_refused, task_done,
/// task_failed and task_lost, whatever happens, also after the task was cancelled.
struct OfferTask {
  NodeId node = 0;
  TaskOffer offer;
};

/// The result of this offer is no longer wanted: end it on the node.
struct CancelTask {
  NodeId node = 0;
  TaskId task;
};

/// All shards of the round are in, or all that it waits for: make the server's step, and answer
/// with round_advanced or round_diverged, or end the job. Answers come in the order of the actions.
struct AdvanceRound {
  std::string job;
  std::uint32_t round = 0;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
  std::vector<Blob> deltas;                       ///< In shard order, of the shards that are in.
  std::vector<std::uint64_t> rows;                ///< Of the same shards.
  std::shared_ptr<const ml::ServerState> server;  ///< Before the step.
};

/// The round has given the next one its weights: find their validation error, and answer with
/// round_validated, in the order of the rounds, or end the job.
struct ValidateRound {
  std::string job;
  std::uint32_t round = 0;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
};

/// Make this durable, after all records before it, and answer with saved().
struct Save {
  std::uint64_t ticket = 0;  ///< Rises by one with each record.
  Record record;
};

/// Keep asking the node how it is, and answer with heartbeat(), heartbeat_missed() and node_gone().
struct WatchNode {
  NodeId node = 0;
  Address address;
};

/// The node is no member any more. Offers that are out still have to be answered.
struct UnwatchNode {
  NodeId node = 0;
};

/// The job has ended, durably; its blobs may go. `weights` are those that its status names.
struct JobEnded {
  std::string job;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
};

/// For logs: something happened to a job, or, if there is none, to a node.
struct Note {
  std::string job;
  JobEvent event;  ///< Without time and sequence.
};

using Action = std::variant<OfferTask,
                            CancelTask,
                            AdvanceRound,
                            ValidateRound,
                            Save,
                            WatchNode,
                            UnwatchNode,
                            JobEnded,
                            Note>;
using Actions = std::vector<Action>;

}  // namespace gradmill::coordinator
