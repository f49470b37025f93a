#include "client/report/fault_table.h"

#include <string>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

/// What is set, and in brackets how often it struck; empty if neither.
std::string cell(bool is_set, const std::string& value, std::uint64_t struck) {
  const std::string count = struck > 0 ? "(" + std::to_string(struck) + ")" : "";
  return is_set ? value + (struck > 0 ? " " : "") + count : count;
}

ordered_json in_json(const FaultReport& report) {
  ordered_json json = {{"server", report.server}};
  if (report.problem == FaultProblem::kNone) {
    const FaultSettings& faults = report.state.faults;
    const FaultCounts& injected = report.state.injected;
    json["faults"] = ordered_json{{"drop_requests", faults.drop_requests},
                                  {"drop_replies", faults.drop_replies},
                                  {"delay_ms", faults.delay.count()},
                                  {"corrupt", faults.corrupt},
                                  {"slow", faults.slow},
                                  {"crash_after", faults.crash_after}};
    json["injected"] = ordered_json{{"drop_requests", injected.drop_requests},
                                    {"drop_replies", injected.drop_replies},
                                    {"delay", injected.delay},
                                    {"corrupt", injected.corrupt},
                                    {"slow", injected.slow}};
  }
  json["problem"] = report.message;
  return json;
}

std::vector<std::string> row(const FaultReport& report) {
  const FaultSettings& faults = report.state.faults;
  const FaultCounts& injected = report.state.injected;
  const auto share = [](double value, std::uint64_t struck) {
    return cell(value > 0, printed("%g", value), struck);
  };
  return {
      report.server,
      share(faults.drop_requests, injected.drop_requests),
      share(faults.drop_replies, injected.drop_replies),
      cell(faults.delay.count() > 0, std::to_string(faults.delay.count()) + " ms", injected.delay),
      share(faults.corrupt, injected.corrupt),
      cell(faults.slow > 1, printed("%g x", faults.slow), injected.slow),
      cell(faults.crash_after > 0, std::to_string(faults.crash_after), 0),
      report.message};
}

}  // namespace

void write_faults(std::ostream& to, const std::vector<FaultReport>& reports, Format format) {
  if (format == Format::kJson) {
    auto list = ordered_json::array();
    for (const FaultReport& report : reports) {
      list.push_back(in_json(report));
    }
    write_json(to, list);
    return;
  }
  Table table = {{"SERVER"},
                 {"DROP REQUESTS"},
                 {"DROP REPLIES"},
                 {"DELAY"},
                 {"CORRUPT"},
                 {"SLOW"},
                 {"CRASH AFTER"},
                 {"PROBLEM"}};
  for (const FaultReport& report : reports) {
    table.add(row(report));
  }
  table.write(to);
}

}  // namespace gradmill::client
