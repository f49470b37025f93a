#include "client/report/node_tables.h"

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

double seconds(std::chrono::milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string heard_text(const NodeStatus& node) {
  constexpr double kMinute = 60;
  if (!node.heard_ago) {
    return "never";
  }
  const double ago = seconds(*node.heard_ago);
  return (ago < kMinute ? printed("%.1f s", ago) : time_text(ago)) + " ago";
}

ordered_json standing_in_json(const NodeStatus& node) {
  ordered_json json;
  json["node"] = node.address.text();
  json["state"] = name_of(node.state);
  json["source"] = name_of(node.source);
  json["slots"] = node.slots;
  json["running"] = node.running;
  json["heard_seconds_ago"] =
      node.heard_ago ? ordered_json(seconds(*node.heard_ago)) : ordered_json();
  json["trouble"] = node.trouble;
  json["incarnation"] = node.incarnation;
  return json;
}

ordered_json stats_in_json(const NodeStatus& node) {
  return {{"node", node.address.text()},
          {"tasks", node.tasks},
          {"refused", node.refused},
          {"failed", node.failed},
          {"copies", node.copies},
          {"heartbeats_missed", node.heartbeats_missed},
          {"false_suspicions", node.false_suspicions},
          {"bytes_sent", node.bytes_sent},
          {"bytes_received", node.bytes_received},
          {"uptime_seconds", seconds(node.uptime)}};
}

void write_list(std::ostream& to,
                const std::vector<NodeStatus>& nodes,
                ordered_json (*in_json)(const NodeStatus&)) {
  auto list = ordered_json::array();
  for (const NodeStatus& node : nodes) {
    list.push_back(in_json(node));
  }
  write_json(to, list);
}

}  // namespace

void write_nodes(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format) {
  if (format == Format::kJson) {
    write_list(to, nodes, standing_in_json);
    return;
  }
  Table table = {{"NODE"},
                 {"STATE"},
                 {"SOURCE"},
                 {"SLOTS", Table::Align::kRight},
                 {"RUNNING", Table::Align::kRight},
                 {"HEARD", Table::Align::kRight},
                 {"TROUBLE"}};
  for (const NodeStatus& node : nodes) {
    table.add({node.address.text(),
               std::string(name_of(node.state)),
               std::string(name_of(node.source)),
               std::to_string(node.slots),
               std::to_string(node.running),
               heard_text(node),
               node.trouble});
  }
  table.write(to);
}

void write_stats(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format) {
  if (format == Format::kJson) {
    write_list(to, nodes, stats_in_json);
    return;
  }
  using Align = Table::Align;
  Table table = {{"NODE"},
                 {"TASKS", Align::kRight},
                 {"REFUSED", Align::kRight},
                 {"FAILED", Align::kRight},
                 {"COPIES", Align::kRight},
                 {"MISSED", Align::kRight},
                 {"FALSE", Align::kRight},
                 {"SENT", Align::kRight},
                 {"RECEIVED", Align::kRight},
                 {"UPTIME", Align::kRight}};
  for (const NodeStatus& node : nodes) {
    table.add({node.address.text(),
               std::to_string(node.tasks),
               std::to_string(node.refused),
               std::to_string(node.failed),
               std::to_string(node.copies),
               std::to_string(node.heartbeats_missed),
               std::to_string(node.false_suspicions),
               bytes_text(node.bytes_sent),
               bytes_text(node.bytes_received),
               time_text(seconds(node.uptime))});
  }
  table.write(to);
}

void write_node(std::ostream& to, const NodeStatus& node, Format format) {
  if (format == Format::kJson) {
    write_json(to, standing_in_json(node));
  } else {
    write_nodes(to, {node}, format);
  }
}

void write_stats(std::ostream& to, const NodeStatus& node, Format format) {
  if (format == Format::kJson) {
    write_json(to, stats_in_json(node));
  } else {
    write_stats(to, std::vector{node}, format);
  }
}

}  // namespace gradmill::client
