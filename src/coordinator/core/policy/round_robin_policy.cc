#include "coordinator/core/policy/round_robin_policy.h"

namespace gradmill::coordinator {

std::optional<NodeId> RoundRobinPolicy::pick(std::span<const NodeView> nodes,
                                             std::size_t /*waiting*/) {
  std::optional<NodeId> lowest;
  std::optional<NodeId> next;
  for (const NodeView& node : nodes) {
    if (!lowest || node.id < *lowest) {
      lowest = node.id;
    }
    if (last_ && node.id > *last_ && (!next || node.id < *next)) {
      next = node.id;
    }
  }
  const std::optional<NodeId> picked = next ? next : lowest;
  if (picked) {
    last_ = picked;
  }
  return picked;
}

}  // namespace gradmill::coordinator
