// The live nodes in turn.
#pragma once

#include "coordinator/core/policy/policy.h"

namespace gradmill::coordinator {

/// Picks the live node with the next higher id, and after the highest the lowest, busy or not. It
/// remembers the last id rather than a position, so a changing list of nodes cannot skew it.
class RoundRobinPolicy final : public Policy {
 public:
  [[nodiscard]] std::optional<NodeId> pick(std::span<const NodeView> nodes,
                                           std::size_t waiting) override;
  [[nodiscard]] LoadRule load_rule() const override { return LoadRule::kDelay; }

 private:
  std::optional<NodeId> last_;
};

}  // namespace gradmill::coordinator
