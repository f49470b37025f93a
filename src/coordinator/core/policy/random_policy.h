// Any live node, each as likely as the others.
#pragma once

#include <random>

#include "coordinator/core/policy/policy.h"

namespace gradmill::coordinator {

/// Picks uniformly among the live nodes, busy or not.
class RandomPolicy final : public Policy {
 public:
  explicit RandomPolicy(std::uint64_t seed) : generator_(seed) {}
  [[nodiscard]] std::optional<NodeId> pick(std::span<const NodeView> nodes,
                                           std::size_t waiting) override;
  [[nodiscard]] LoadRule load_rule() const override { return LoadRule::kDelay; }

 private:
  std::mt19937_64 generator_;
};

}  // namespace gradmill::coordinator
