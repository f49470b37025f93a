#include "client/report/statistics_tables.h"

#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"
#include "protocol/model_name.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

/// A part of a query's time.
struct Part {
  std::string_view name;
  DurationStatistics QueryStatistics::*durations;
};
constexpr std::array<Part, 3> kParts = {{{"queue", &QueryStatistics::queue},
                                         {"compute", &QueryStatistics::compute},
                                         {"total", &QueryStatistics::total}}};

struct Figure {
  std::string_view name;
  double DurationStatistics::*seconds;
};
constexpr std::array<Figure, 6> kFigures = {{{"mean", &DurationStatistics::mean},
                                             {"sd", &DurationStatistics::sd},
                                             {"p50", &DurationStatistics::p50},
                                             {"p90", &DurationStatistics::p90},
                                             {"p95", &DurationStatistics::p95},
                                             {"p99", &DurationStatistics::p99}}};

ordered_json in_json(const QueryStatistics& queries) {
  ordered_json json = {{"queries", queries.queries},
                       {"rows", queries.rows},
                       {"seconds", queries.seconds},
                       {"queries_per_second", queries.queries_per_second},
                       {"rows_per_second", queries.rows_per_second}};
  for (const Part& part : kParts) {
    for (const Figure& figure : kFigures) {
      // An average of nothing is none.
      json[std::string(part.name) + "_seconds"][std::string(figure.name)] =
          queries.queries == 0 ? ordered_json()
                               : ordered_json(queries.*part.durations.*figure.seconds);
    }
  }
  return json;
}

std::string count_text(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

/// What the queries of something are called.
struct Unit {
  std::string one;
  std::string many;
};

void write_text(std::ostream& to, const QueryStatistics& queries, const Unit& unit, bool goes_on) {
  const double all =
      queries.seconds > 0 ? static_cast<double>(queries.queries) / queries.seconds : 0;
  if (queries.queries == 0) {
    to << (goes_on ? "none so far\n" : "none\n");
    return;
  }
  to << count_text(queries.queries, unit.one, unit.many) << ", "
     << count_text(queries.rows, "row", "rows") << " in " << duration_text(queries.seconds)
     << printed("; %.1f %s a second over all", all, unit.many.c_str());
  if (goes_on) {
    to << printed(", %.1f over the last 10 s (%.1f rows)",
                  queries.queries_per_second,
                  queries.rows_per_second);
  }
  to << '\n';
  Table table = {{"TIME"},
                 {"MEAN", Table::Align::kRight},
                 {"SD", Table::Align::kRight},
                 {"P50", Table::Align::kRight},
                 {"P90", Table::Align::kRight},
                 {"P95", Table::Align::kRight},
                 {"P99", Table::Align::kRight}};
  for (const Part& part : kParts) {
    std::vector<std::string> cells = {std::string(part.name)};
    for (const Figure& figure : kFigures) {
      cells.push_back(duration_text(queries.*part.durations.*figure.seconds));
    }
    table.add(std::move(cells));
  }
  table.write(to);
}

}  // namespace

void write_statistics(std::ostream& to, const JobStatistics& job, Format format) {
  if (format == Format::kJson) {
    ordered_json json = {{"job_id", job.job},
                         {"kind", job.predicts ? "prediction" : "training"},
                         {"state", name_of(job.state)}};
    json["tasks"] = job.tasks ? in_json(*job.tasks) : ordered_json();
    write_json(to, json);
    return;
  }
  to << "job " << shown(job.job) << ", " << name_of(job.state) << ": ";
  if (!job.tasks) {
    to << "- (no statistics were kept of it)\n" << std::flush;
    return;
  }
  const Unit unit = job.predicts ? Unit{"batch", "batches"} : Unit{"task", "tasks"};
  write_text(to, *job.tasks, unit, !has_ended(job.state));
  to << std::flush;
}

void write_statistics(std::ostream& to, const ModelStatistics& model, Format format) {
  const std::string name = version_reference(model.model, model.version);
  if (format == Format::kJson) {
    write_json(to,
               {{"model", model.model},
                {"version", model.version},
                {"requests", in_json(model.requests)},
                {"batches", in_json(model.batches)}});
    return;
  }
  to << "model " << shown(name) << ", predictions at once: ";
  write_text(to, model.requests, {"request", "requests"}, true);
  to << "model " << shown(name) << ", prediction jobs: ";
  write_text(to, model.batches, {"batch", "batches"}, true);
  to << std::flush;
}

}  // namespace gradmill::client
