// Which node a batch of rows goes to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/digest.h"
#include "coordinator/core/policy/policy.h"

namespace gradmill::coordinator {

/// The nodes that predict, how many calls each has in progress and which models it holds. A
/// single-threaded value.
class NodeChoice {
 public:
  /// Each node takes up to `calls_max` calls at a time.
  explicit NodeChoice(std::uint32_t calls_max) : calls_max_(calls_max) {}

  /// The node answers; another incarnation than before holds nothing.
  void serves(NodeId node, const std::string& incarnation);
  /// It gets no more calls; those in progress may end.
  void pauses(NodeId node);
  /// The node is no more, once its calls have ended.
  void remove(NodeId node);

  /// A node with room for a call: one that holds the model if there is any, of these the one with
  /// the fewest rows in progress, then the one that was given the fewest so far.
  [[nodiscard]] std::optional<NodeId> choose(const Digest& model) const;
  /// Whether some node that serves has no call in progress.
  [[nodiscard]] bool has_idle_node() const;
  /// Whether there is a node that serves, with room or without.
  [[nodiscard]] bool has_node() const;
  [[nodiscard]] bool has_calls() const { return calls_ > 0; }

  void begin(NodeId node, std::uint64_t rows);
  void end(NodeId node, std::uint64_t rows);
  /// The node has been given the model.
  void holds(NodeId node, const Digest& model);

 private:
  struct Node {
    bool serves = false;
    bool removed = false;
    std::string incarnation;
    std::uint32_t calls = 0;
    std::uint64_t rows = 0;  // in progress
    std::uint64_t given = 0;
    std::set<Digest> models;
  };

  std::uint32_t calls_max_;
  std::map<NodeId, Node> nodes_;
  std::uint32_t calls_ = 0;
};

}  // namespace gradmill::coordinator
