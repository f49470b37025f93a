// Nodes as users see them.
#pragma once

#include <iosfwd>
#include <vector>

#include "client/request/request.h"
#include "protocol/node_status.h"

namespace gradmill::client {

/// How nodes stand: a row a node in the order given, or a JSON array.
void write_nodes(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format);

/// What nodes work on: a row a task, or a JSON array of nodes.
void write_tasks(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format);

/// What nodes did, likewise.
void write_stats(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format);

/// How one node stands: one row, or a JSON object.
void write_node(std::ostream& to, const NodeStatus& node, Format format);

/// What one node did, likewise.
void write_stats(std::ostream& to, const NodeStatus& node, Format format);

}  // namespace gradmill::client
