// The node with the least expected finish time.
#pragma once

#include <random>

#include "coordinator/core/policy/policy.h"

namespace gradmill::coordinator {

/// Picks the node that should be done first: an idle one with one more task, a busy one with what
/// it has and all that waits, from the moving average of its speed and its refusals; ties go at
/// random. Waits (picks nothing) when that node has no free slot: the last tasks are better kept
/// for a fast node than given to a slow one. A node of unknown speed counts as fast as the fastest
/// known.
class LoadBalancingPolicy final : public Policy {
 public:
  explicit LoadBalancingPolicy(std::uint64_t seed) : generator_(seed) {}
  [[nodiscard]] std::optional<NodeId> pick(std::span<const NodeView> nodes,
                                           std::size_t waiting) override;
  [[nodiscard]] bool waits_for_slots() const override { return true; }
  [[nodiscard]] LoadRule load_rule() const override { return LoadRule::kRefuseOrDelay; }

 private:
  std::mt19937_64 generator_;
};

}  // namespace gradmill::coordinator
