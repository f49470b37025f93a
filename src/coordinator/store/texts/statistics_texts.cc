#include "coordinator/store/texts/statistics_texts.h"

#include <array>

#include <nlohmann/json.hpp>

#include "coordinator/store/texts/json_values.h"

namespace gradmill::coordinator {
namespace {

using nlohmann::json;

constexpr std::array kFields = {&DurationStatistics::mean,
                                &DurationStatistics::sd,
                                &DurationStatistics::p50,
                                &DurationStatistics::p90,
                                &DurationStatistics::p95,
                                &DurationStatistics::p99};

json durations_json(const DurationStatistics& durations) {
  json list = json::array();
  for (const auto field : kFields) {
    list.push_back(durations.*field);
  }
  return list;
}

double seconds_of(const json& value) {
  double seconds = 0;
  get_exactly(value, seconds);
  if (!(seconds >= 0)) {
    throw Damage("no duration");
  }
  return seconds;
}

DurationStatistics durations_of(const json& list) {
  if (list.size() != kFields.size()) {
    throw Damage("no statistics of durations");
  }
  DurationStatistics durations;
  for (std::size_t n = 0; n < kFields.size(); ++n) {
    durations.*kFields.at(n) = seconds_of(list.at(n));
  }
  return durations;
}

}  // namespace

json json_of(const QueryStatistics& statistics) {
  return {{"queries", statistics.queries},
          {"rows", statistics.rows},
          {"seconds", statistics.seconds},
          {"queue", durations_json(statistics.queue)},
          {"compute", durations_json(statistics.compute)},
          {"total", durations_json(statistics.total)}};
}

QueryStatistics statistics_of(const json& object) {
  QueryStatistics statistics;
  get(object, "queries", statistics.queries);
  get(object, "rows", statistics.rows);
  statistics.seconds = seconds_of(object.at("seconds"));
  statistics.queue = durations_of(object.at("queue"));
  statistics.compute = durations_of(object.at("compute"));
  statistics.total = durations_of(object.at("total"));
  return statistics;
}

}  // namespace gradmill::coordinator
