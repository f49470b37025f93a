// Which node has what of a job, and why the others have nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/job_share.h"
#include "protocol/job_status.h"

namespace gradmill {

/// A node, as a job sees it.
struct NodeExplanation {
  std::string node;          ///< host:port
  std::uint32_t offers = 0;  ///< Of the job, not answered.
  std::uint32_t queued = 0;  ///< Tasks of the job that wait for a slot of this node.
  std::uint64_t tasks = 0;   ///< Results that counted, over all starts.
  /// Of the node's slot time in the last few seconds that it worked, from 0 to 1; nothing if it
  /// did not work since the coordinator's start, or the job does not run.
  std::optional<double> recent_share{};
  /// Without offers, why: failed, suspect, left, not_running, set_aside, slots_taken,
  /// nothing_waits, no_room, kept_for_suspect, other_jobs_node, refused, diverged or policy; else
  /// empty.
  std::string reason;
  std::string message;  ///< What it has, or the reason, in a sentence, for people.
};

struct JobExplanation {
  std::string job;
  bool predicts = false;  ///< A prediction job, whose tasks are batches.
  JobState state = JobState::kPending;
  SchedulingMode scheduling = SchedulingMode::kGlobal;
  std::uint32_t waiting = 0;           ///< Tasks, cut already, that no node was picked for.
  std::vector<NodeExplanation> nodes;  ///< Members, in order of arrival.
};

}  // namespace gradmill
