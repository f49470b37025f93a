// Which nodes each job has for itself: the local mode of scheduling.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>

#include "coordinator/core/policy/policy.h"
#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// A job that needs nodes.
struct NodeDemand {
  JobNumber job = 0;
  double cost = 0;           ///< Slot time that it needs, above 0; only ratios count.
  std::uint32_t weight = 1;  ///< At least 1.
};

/// A node that can be given to a job.
struct NodeSupply {
  NodeId node = 0;
  std::uint32_t slots = 1;  ///< At least 1.

  friend bool operator==(const NodeSupply&, const NodeSupply&) = default;
};

/// The nodes that each job may use.
using NodeShares = std::map<JobNumber, std::set<NodeId>>;

/// Shares the nodes out, so that a job's slots are in proportion to its cost times its weight. With
/// nodes of equal slots that is the method of largest remainders, but no job is without a node, and
/// each node has one job; with fewer nodes than jobs each job has one node, and the loads of the
/// nodes are as equal as simple rules get them. Starts from the shares that held before and changes
/// what is worth a change: a node moves when that brings its old and its new job nearer to their
/// proportions by more than half a node. The same input gives the same shares.
///
/// Jobs and nodes are each named once. Without nodes, no job has any.
[[nodiscard]] NodeShares share_out(std::span<const NodeDemand> jobs,
                                   std::span<const NodeSupply> nodes,
                                   const NodeShares& before);

}  // namespace gradmill::coordinator
