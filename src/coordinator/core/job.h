// A job at the coordinator: its specification, its progress and its end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/round.h"
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

/// A job's state. A single-threaded value, changed by the scheduler alone.
struct Job {
  std::string id;
  std::shared_ptr<const JobSpecification> specification;
  Digest digest;
  std::vector<std::uint64_t> shard_rows;
  JobState state = JobState::kPending;
  std::uint64_t version = 1;  ///< Rises with every change that a follower may see.
  Blob weights;               ///< After the last finished round; only its name once ended.
  std::optional<Round> round;
  std::vector<RoundReport> finished;
  std::map<NodeId, NodeTally> tallies;
  JobEnd end;
};

}  // namespace gradmill::coordinator
