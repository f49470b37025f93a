#include "coordinator/core/policy/random_policy.h"

#include "coordinator/core/policy/uniform_index.h"

namespace gradmill::coordinator {

std::optional<NodeId> RandomPolicy::pick(std::span<const NodeView> nodes, std::size_t /*waiting*/) {
  if (nodes.empty()) {
    return std::nullopt;
  }
  return nodes[uniform_index(generator_, nodes.size())].id;
}

}  // namespace gradmill::coordinator
