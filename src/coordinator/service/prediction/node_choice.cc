#include "coordinator/service/prediction/node_choice.h"

#include <algorithm>
#include <tuple>

namespace gradmill::coordinator {
namespace {

// A node drops models as it likes; to remember more of them helps nobody.
constexpr std::size_t kModelsKept = 256;

}  // namespace

void NodeChoice::serves(NodeId id, const std::string& incarnation) {
  Node& node = nodes_[id];
  node.serves = true;
  node.removed = false;
  if (node.incarnation != incarnation) {
    node.incarnation = incarnation;
    node.models.clear();
  }
}

void NodeChoice::pauses(NodeId id) {
  if (const auto node = nodes_.find(id); node != nodes_.end()) {
    node->second.serves = false;
  }
}

void NodeChoice::remove(NodeId id) {
  const auto node = nodes_.find(id);
  if (node == nodes_.end()) {
    return;
  }
  node->second.serves = false;
  node->second.removed = true;
  if (node->second.calls == 0) {
    nodes_.erase(node);
  }
}

std::optional<NodeId> NodeChoice::choose(const Digest& model) const {
  std::optional<NodeId> best;
  std::tuple<bool, std::uint64_t, std::uint64_t> least;
  for (const auto& [id, node] : nodes_) {
    if (!node.serves || node.calls >= calls_max_) {
      continue;
    }
    const std::tuple cost(!node.models.contains(model), node.rows, node.given);
    if (!best || cost < least) {
      best = id;
      least = cost;
    }
  }
  return best;
}

bool NodeChoice::has_idle_node() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& entry) {
    return entry.second.serves && entry.second.calls == 0;
  });
}

bool NodeChoice::has_node() const {
  return std::any_of(
      nodes_.begin(), nodes_.end(), [](const auto& entry) { return entry.second.serves; });
}

void NodeChoice::begin(NodeId id, std::uint64_t rows) {
  Node& node = nodes_.at(id);
  ++node.calls;
  ++calls_;
  node.rows += rows;
  node.given += rows;
}

void NodeChoice::end(NodeId id, std::uint64_t rows) {
  const auto node = nodes_.find(id);
  --calls_;
  --node->second.calls;
  node->second.rows -= rows;
  if (node->second.removed && node->second.calls == 0) {
    nodes_.erase(node);
  }
}

void NodeChoice::holds(NodeId id, const Digest& model) {
  std::set<Digest>& models = nodes_.at(id).models;
  if (models.size() >= kModelsKept && !models.contains(model)) {
    models.clear();
  }
  models.insert(model);
}

}  // namespace gradmill::coordinator
