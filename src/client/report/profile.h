// Where the time of a training job went, and whether sharing it out was worth it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/job_details.h"
#include "protocol/job_status.h"

namespace gradmill::client {

/// What one node did in one round. Seconds.
struct NodeProfile {
  std::string node;  ///< host:port
  std::uint32_t tasks = 0;
  std::uint64_t rows = 0;  ///< Trained on, each as often as it was.
  double compute = 0;
  double transfer = 0;
  double wait = 0;  ///< The rest of the round: no task to do, or simulated load.
};

/// A round with each node that works for the job. Seconds.
struct RoundProfile {
  std::uint32_t round = 0;
  double seconds = 0;
  double aggregate = 0;  ///< Part of seconds.
  double validate = 0;   ///< Beside later rounds, so no part of seconds.
  std::vector<NodeProfile> nodes;
};

/// All finished rounds. Shares are of the time that all nodes together had, and add up to 1.
struct JobProfile {
  std::vector<RoundProfile> rounds;
  std::vector<NodeProfile> nodes;  ///< Over all rounds, by name.
  double seconds = 0;              ///< Of all rounds, one after the other.
  double aggregate = 0;
  double validate = 0;
  std::uint64_t rows = 0;
  double baseline_rate = 0;  ///< Rows a second of one node while it computes, as measured here.
  double rate = 0;           ///< Rows a second that the job reached.
  double compute_share = 0;
  double transfer_share = 0;
  double aggregate_share = 0;
  double wait_share = 0;

  /// The rate reached, in nodes that compute all of the time.
  [[nodiscard]] double speedup() const { return baseline_rate > 0 ? rate / baseline_rate : 0; }
};

/// The profile of `rounds`, which come with their tasks. No rounds give an empty one.
[[nodiscard]] JobProfile profile_of(const JobDetails& job, const std::vector<RoundReport>& rounds);

/// What would make the job faster, in a sentence: about whatever costs most.
[[nodiscard]] std::string advice_on(const JobProfile& profile, const JobDetails& job);

}  // namespace gradmill::client
