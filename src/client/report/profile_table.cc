#include "client/report/profile_table.h"

#include <ostream>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

// Of more rounds than this, people see the first and the last ones, and the sums.
constexpr std::size_t kRoundsShown = 10;

ordered_json in_json(const std::vector<NodeProfile>& nodes) {
  auto list = ordered_json::array();
  for (const NodeProfile& node : nodes) {
    list.push_back({{"node", node.node},
                    {"tasks", node.tasks},
                    {"rows", node.rows},
                    {"compute", node.compute},
                    {"transfer", node.transfer},
                    {"wait", node.wait}});
  }
  return list;
}

void write_json_profile(std::ostream& to, const JobDetails& job, const JobProfile& profile) {
  ordered_json json = {{"job_id", job.status.job},
                       {"seconds", profile.seconds},
                       {"aggregate", profile.aggregate},
                       {"validate", profile.validate},
                       {"rows", profile.rows},
                       {"baseline_rows_per_s", profile.baseline_rate},
                       {"rows_per_s", profile.rate},
                       {"speedup", profile.speedup()},
                       {"compute_share", profile.compute_share},
                       {"transfer_share", profile.transfer_share},
                       {"aggregate_share", profile.aggregate_share},
                       {"wait_share", profile.wait_share},
                       {"advice", advice_on(profile, job)},
                       {"nodes", in_json(profile.nodes)}};
  json["rounds"] = ordered_json::array();
  for (const RoundProfile& round : profile.rounds) {
    json["rounds"].push_back({{"round", round.round},
                              {"seconds", round.seconds},
                              {"aggregate", round.aggregate},
                              {"validate", round.validate},
                              {"nodes", in_json(round.nodes)}});
  }
  write_json(to, json);
}

std::string seconds_text(double seconds) { return printed("%.6f", seconds); }

void add_rows(Table& table, const std::string& round, const std::vector<NodeProfile>& nodes) {
  for (const NodeProfile& node : nodes) {
    table.add({round,
               node.node,
               std::to_string(node.tasks),
               seconds_text(node.compute),
               seconds_text(node.transfer),
               seconds_text(node.wait),
               "",
               ""});
  }
}

void add_coordinator(Table& table, const std::string& round, double aggregate, double validate) {
  table.add(
      {round, "coordinator", "", "", "", "", seconds_text(aggregate), seconds_text(validate)});
}

}  // namespace

void write_profile(std::ostream& to,
                   const JobDetails& job,
                   const JobProfile& profile,
                   Format format) {
  if (format == Format::kJson) {
    write_json_profile(to, job, profile);
    return;
  }
  Table table = {{"ROUND", Table::Align::kRight},
                 {"NODE"},
                 {"TASKS", Table::Align::kRight},
                 {"COMPUTE", Table::Align::kRight},
                 {"TRANSFER", Table::Align::kRight},
                 {"WAIT", Table::Align::kRight},
                 {"AGGREGATE", Table::Align::kRight},
                 {"VALIDATE", Table::Align::kRight}};
  const std::size_t rounds = profile.rounds.size();
  for (std::size_t n = 0; n < rounds; ++n) {
    if (n < kRoundsShown / 2 || n + kRoundsShown / 2 >= rounds) {
      const RoundProfile& round = profile.rounds[n];
      add_rows(table, std::to_string(round.round), round.nodes);
      add_coordinator(table, std::to_string(round.round), round.aggregate, round.validate);
    } else if (n == kRoundsShown / 2) {
      table.add({"...", "", "", "", "", "", "", ""});
    }
  }
  add_rows(table, "all", profile.nodes);
  add_coordinator(table, "all", profile.aggregate, profile.validate);
  table.write(to);
  to << printed("%zu rounds in %.3f s: ", rounds, profile.seconds)
     << printed("%.0f rows/s; one node alone computes %.0f rows/s\n",
                profile.rate,
                profile.baseline_rate)
     << printed("speed-up %.2f with %zu nodes: computing %.0f %%, ",
                profile.speedup(),
                profile.nodes.size(),
                profile.compute_share * 100)
     << printed("transfer %.0f %%, averaging %.0f %%, waiting %.0f %% of their time\n",
                profile.transfer_share * 100,
                profile.aggregate_share * 100,
                profile.wait_share * 100)
     << advice_on(profile, job) << '\n'
     << std::flush;
}

}  // namespace gradmill::client
