#include "client/commands/node_commands.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <vector>

#include "base/error.h"
#include "client/report/node_tables.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

constexpr std::chrono::milliseconds kLeaveWait{1000};

}  // namespace

int run(const ListNodesRequest& request, CoordinatorLink& link, Console console) {
  const std::vector<NodeStatus> nodes = link.nodes();
  if (request.tasks) {
    write_tasks(console.out, nodes, request.format);
  } else {
    write_nodes(console.out, nodes, request.format);
  }
  return program::kSucceeded;
}

int run(const NodeStatsRequest& request, CoordinatorLink& link, Console console) {
  const std::vector<NodeStatus> nodes = link.nodes();
  if (!request.node) {
    write_stats(console.out, nodes, request.format);
    return program::kSucceeded;
  }
  const auto node = std::find_if(nodes.begin(), nodes.end(), [&](const NodeStatus& one) {
    return one.address == *request.node;
  });
  if (node == nodes.end()) {
    throw Error(ErrorCode::kNotFound,
                "there is no node " + request.node->text() + "; see client node list");
  }
  write_stats(console.out, *node, request.format);
  return program::kSucceeded;
}

int run(const JoinNodeRequest& request, CoordinatorLink& link, Console console) {
  write_node(console.out, link.add_node(request.node), request.format);
  return program::kSucceeded;
}

int run(const LeaveNodeRequest& request, CoordinatorLink& link, Console console) {
  bool told = false;
  for (;;) {
    const NodeStatus node = link.remove_node(request.node, kLeaveWait);
    if (node.running == 0) {
      write_node(console.out, node, request.format);
      return program::kSucceeded;
    }
    if (console.interrupted) {
      console.err << "client: left; node " << request.node.text()
                  << " still finishes its tasks and gets no more\n"
                  << std::flush;
      return program::kDetached;
    }
    if (!told) {
      console.err << "client: node " << request.node.text() << " finishes " << node.running
                  << " tasks\n"
                  << std::flush;
      told = true;
    }
  }
}

}  // namespace gradmill::client
