#include "client/request/node_request.h"

#include <array>

#include "client/request/common_options.h"
#include "program/arguments.h"

namespace gradmill::client {
namespace {

using program::CommandLine;
using Words = std::vector<std::string>;

constexpr const char* kNode = "<node>";

std::optional<Request> parse_list(const Words& words) {
  ListNodesRequest request;
  CommandLine line("client node list", "Lists the nodes and how they stand.");
  line.flag("--tasks", "what each works on now, and when it last answered a query");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.tasks = arguments->flag("--tasks");
  return request;
}

std::optional<Request> parse_stats(const Words& words) {
  NodeStatsRequest request;
  CommandLine line("client node stats", "Shows what nodes did since the coordinator's start.");
  line.optional_positional(kNode, "HOST:PORT of one node; all if not given");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  if (arguments->given(kNode)) {
    request.node = arguments->address(kNode);
  }
  return request;
}

template <class R>
std::optional<Request> parse_one(CommandLine line, const Words& words) {
  R request;
  line.positional(kNode, "HOST:PORT of the node");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.node = arguments->address(kNode);
  return request;
}

std::optional<Request> parse_join(const Words& words) {
  return parse_one<JoinNodeRequest>({"client node join", "Adds a node that is running."}, words);
}

std::optional<Request> parse_leave(const Words& words) {
  return parse_one<LeaveNodeRequest>(
      {"client node leave", "Takes a node out, and waits until it has no tasks."}, words);
}

}  // namespace

std::span<const Verb> node_verbs() {
  static constexpr std::array<Verb, 4> kVerbs = {{
      {"list", "ls", "list [--tasks]", "nodes and how they stand", parse_list},
      {"stats", "", "stats [HOST:PORT]", "what nodes did", parse_stats},
      {"join", "", "join HOST:PORT", "add a node", parse_join},
      {"leave", "", "leave HOST:PORT", "take a node out once it has no tasks", parse_leave},
  }};
  return kVerbs;
}

}  // namespace gradmill::client
