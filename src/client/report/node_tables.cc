#include "client/report/node_tables.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

std::string ago_text(const std::optional<std::chrono::milliseconds>& duration) {
  constexpr double kMinute = 60;
  if (!duration) {
    return "never";
  }
  const double ago = seconds(*duration);
  return (ago < kMinute ? printed("%.1f s", ago) : time_text(ago)) + " ago";
}

ordered_json ago_in_json(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? ordered_json(seconds(*duration)) : ordered_json();
}

ordered_json standing_in_json(const NodeStatus& node) {
  ordered_json json;
  json["node"] = node.address.text();
  json["state"] = name_of(node.state);
  json["source"] = name_of(node.source);
  json["slots"] = node.slots;
  json["running"] = node.running;
  json["heard_seconds_ago"] = ago_in_json(node.heard_ago);
  json["trouble"] = node.trouble;
  json["incarnation"] = node.incarnation;
  return json;
}

ordered_json tasks_in_json(const NodeStatus& node) {
  ordered_json json = {{"node", node.address.text()},
                       {"state", name_of(node.state)},
                       {"member_since", utc_time_text(node.member_since_ms)},
                       {"last_query_seconds_ago", ago_in_json(node.answered_ago)},
                       {"tasks", ordered_json::array()}};
  for (const NodeTask& task : node.doing) {
    json["tasks"].push_back({{"job_id", task.job},
                             {"kind", task.predicts ? "prediction" : "training"},
                             {"round", task.round},
                             {"shard", task.shard + 1},
                             {"begun", task.begun},
                             {"seconds", seconds(task.offered_ago)}});
  }
  return json;
}

/// A prediction job has no rounds to speak of.
std::string task_text(const NodeTask& task) {
  const std::string number = std::to_string(task.shard + 1);
  return task.predicts ? "batch " + number
                       : "round " + std::to_string(task.round) + " shard " + number;
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
               ago_text(node.heard_ago),
               node.trouble});
  }
  table.write(to);
}

void write_tasks(std::ostream& to, const std::vector<NodeStatus>& nodes, Format format) {
  if (format == Format::kJson) {
    write_list(to, nodes, tasks_in_json);
    return;
  }
  Table table = {{"NODE"},
                 {"STATE"},
                 {"MEMBER SINCE"},
                 {"LAST QUERY", Table::Align::kRight},
                 {"JOB"},
                 {"TASK"},
                 {"FOR", Table::Align::kRight}};
  for (const NodeStatus& node : nodes) {
    std::vector<std::string> cells = {node.address.text(),
                                      std::string(name_of(node.state)),
                                      local_time_text(node.member_since_ms),
                                      ago_text(node.answered_ago)};
    if (node.doing.empty()) {
      cells.insert(cells.end(), 3, "");
      table.add(cells);
    }
    for (const NodeTask& task : node.doing) {
      std::vector<std::string> row = cells;
      row.push_back(task.job);
      row.push_back(task_text(task));
      row.push_back(duration_text(seconds(task.offered_ago)));
      table.add(std::move(row));
    }
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
