#include "coordinator/core/policy/load_balancing_policy.h"

#include <algorithm>

#include "coordinator/core/policy/uniform_index.h"

namespace gradmill::coordinator {
namespace {

/// Expected time until `node` would be done, in units of one task a row: with one task if it can
/// begin it, else with all that wait.
double expected_finish(const NodeView& node, double fastest, std::size_t waiting) {
  const double speed = node.seconds_per_row > 0 ? node.seconds_per_row : fastest;
  const double queued =
      node.in_flight < node.slots
          ? 0.0
          : static_cast<double>(node.in_flight - node.slots + waiting) / node.slots;
  // A refusal costs a call, not a task: it only tips the scale.
  return speed * (1.0 + queued) * (1.0 + std::clamp(node.refusal_share, 0.0, 1.0));
}

}  // namespace

std::optional<NodeId> LoadBalancingPolicy::pick(std::span<const NodeView> nodes,
                                                std::size_t waiting) {
  double fastest = 0;
  for (const NodeView& node : nodes) {
    if (node.seconds_per_row > 0 && (fastest == 0 || node.seconds_per_row < fastest)) {
      fastest = node.seconds_per_row;
    }
  }
  if (fastest == 0) {
    fastest = 1;
  }
  const NodeView* best = nullptr;
  double least = 0;
  std::size_t ties = 0;
  for (const NodeView& node : nodes) {
    const double finish = expected_finish(node, fastest, waiting);
    if (best == nullptr || finish < least) {
      best = &node;
      least = finish;
      ties = 1;
    } else if (finish == least && uniform_index(generator_, ++ties) == 0) {
      // Reservoir sampling: the n-th of n equals replaces the choice with probability 1/n.
      best = &node;
    }
  }
  if (best == nullptr || best->in_flight >= best->slots) {
    return std::nullopt;
  }
  return best->id;
}

}  // namespace gradmill::coordinator
