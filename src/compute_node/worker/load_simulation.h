// Simulated load: a node that is sometimes busy with something else.
#pragma once

#include <cstdint>
#include <string>

#include "base/digest.h"
#include "protocol/task.h"

namespace gradmill::node {

/// Decides, by seeded draws, whether the node is loaded when an offer comes. Immutable; each draw
/// depends on its key alone: the node's seed and address, the job's digest, round, shard, offer,
/// and which of the two questions is asked.
class LoadSimulation {
 public:
  /// `probability` is in [0, 1]; `address` is where the node listens, host:port.
  LoadSimulation(double probability, std::uint64_t seed, std::string address);

  /// Whether the load refuses this offer, where the rule lets it.
  [[nodiscard]] bool refuses(const Digest& job_digest, const TaskId& task, LoadRule rule) const;
  /// Whether the load delays the accepted task.
  [[nodiscard]] bool delays(const Digest& job_digest, const TaskId& task) const;

 private:
  [[nodiscard]] bool draw(const Digest& job_digest, const TaskId& task, const char* stream) const;

  double probability_;
  std::uint64_t seed_;
  std::string address_;
};

}  // namespace gradmill::node
