// Policies: which node gets a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/task.h"

namespace gradmill::coordinator {

/// A node's number in the registry; it never changes while the coordinator runs.
using NodeId = std::uint32_t;

/// What a policy may know of a node. Only live nodes that may take the task are shown to it.
struct NodeView {
  NodeId id = 0;
  std::uint32_t in_flight = 0;  ///< Tasks queued at or offered to the node.
  std::uint32_t slots = 1;      ///< Tasks it trains at a time, >= 1.
  double seconds_per_row = 0;   ///< Moving average over its tasks; 0 while unknown.
  double refusal_share = 0;     ///< Moving average over its offers, in [0, 1].
};

/// A rule that picks nodes. Decides from the views and its own memory alone: no clock, lock, log or
/// I/O. Not thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  /// The node that gets the next of `waiting` tasks; nothing if there is none, or if it is better
  /// to wait until a busy one is free.
  [[nodiscard]] virtual std::optional<NodeId> pick(std::span<const NodeView> nodes,
                                                   std::size_t waiting) = 0;
  /// Whether it only ever picks nodes with a free slot, so that it need not be asked without one.
  [[nodiscard]] virtual bool waits_for_slots() const { return false; }
  [[nodiscard]] virtual LoadRule load_rule() const = 0;
};

/// The policy called `name`: 1 or random, 2 or load-balancing, 3 or round-robin. `seed` is for its
/// random choices. Throws Error(kInvalidInput) for any other name.
[[nodiscard]] std::unique_ptr<Policy> make_policy(std::string_view name, std::uint64_t seed);

}  // namespace gradmill::coordinator
