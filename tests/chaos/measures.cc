#include "chaos/measures.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>

#include <nlohmann/json.hpp>

namespace gradmill::chaos {

namespace {

/// What is noticed later than this after a strike has ended has other reasons.
constexpr Seconds kNotice = 2;
/// The log's times are cut to milliseconds.
constexpr Seconds kResolution = 0.001;
constexpr double kMebibyte = 1024.0 * 1024.0;

/// Seconds since 1970 of a time like 2026-01-02T03:04:05.678Z.
std::optional<double> parse_time(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || *rest != '.') {
    return std::nullopt;
  }
  return static_cast<double>(::timegm(&parts)) + std::strtod(rest, nullptr);
}

bool has(const std::vector<Place>& places, Place place) {
  return std::count(places.begin(), places.end(), place) > 0;
}

bool tells_of_trouble(const std::string& event) {
  return event == "node_suspect" || event == "node_failed" || event == "node_left" ||
         event == "task_failed";
}

std::optional<Seconds> next_result(const std::string& node,
                                   Seconds after,
                                   std::span<const ResultCount> results) {
  std::optional<std::uint64_t> before;
  for (const ResultCount& count : results) {
    if (count.node != node || count.at < after) {
      continue;
    }
    if (before && count.results > *before) {
      return count.at;
    }
    before = count.results;
  }
  return std::nullopt;
}

std::optional<Seconds> next_round(Seconds after, std::span<const LogEntry> log) {
  for (const LogEntry& entry : log) {
    if (entry.at >= after && entry.event == "round_finished") {
      return entry.at;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<LogEntry> parse_log_line(const std::string& line, double start) {
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) {
    return std::nullopt;
  }
  const std::optional<double> time = parse_time(object.value("time", ""));
  if (!time) {
    return std::nullopt;
  }
  return LogEntry{
      *time - start, object.value("event", ""), object.value("node", ""), object.value("job", "")};
}

bool is_noticeable(const MadeStrike& strike) {
  return !strike.nodes.empty() && !has(strike.places, Place::kCoordinator);
}

bool is_recoverable(const MadeStrike& strike) {
  return !strike.nodes.empty() || has(strike.places, Place::kCoordinator);
}

std::optional<Seconds> detection(const MadeStrike& strike, std::span<const LogEntry> log) {
  if (!is_noticeable(strike)) {
    return std::nullopt;
  }
  for (const LogEntry& entry : log) {
    if (entry.at + kResolution >= strike.began && entry.at <= strike.ended + kNotice &&
        tells_of_trouble(entry.event) &&
        std::count(strike.nodes.begin(), strike.nodes.end(), entry.node) > 0) {
      return std::max(0.0, entry.at - strike.began);
    }
  }
  return std::nullopt;
}

std::optional<Seconds> recovery(const MadeStrike& strike,
                                std::span<const LogEntry> log,
                                std::span<const ResultCount> results) {
  std::optional<Seconds> latest;
  if (has(strike.places, Place::kCoordinator)) {
    latest = next_round(strike.ended, log);
    return latest ? std::optional(*latest - strike.ended) : std::nullopt;
  }
  for (const std::string& node : strike.nodes) {
    const std::optional<Seconds> next = next_result(node, strike.ended, results);
    if (!next) {
      return std::nullopt;
    }
    latest = std::max(latest.value_or(0), *next);
  }
  return latest ? std::optional(*latest - strike.ended) : std::nullopt;
}

std::optional<double> memory_slope(std::span<const ResourceSample> samples,
                                   Place place,
                                   const SlopeRule& rule) {
  std::map<int, std::vector<ResourceSample>> lives;
  for (const ResourceSample& sample : samples) {
    if (sample.place == place) {
      lives[sample.pid].push_back(sample);
    }
  }
  double span = 0;
  double products = 0;
  double squares = 0;
  for (auto& [pid, life] : lives) {
    const Seconds from = life.front().at + rule.warm_up;
    std::erase_if(life, [&](const ResourceSample& sample) { return sample.at < from; });
    if (life.empty()) {
      continue;
    }
    double time = 0;
    double memory = 0;
    for (const ResourceSample& sample : life) {
      time += sample.at / static_cast<double>(life.size());
      memory += static_cast<double>(sample.memory_bytes) / static_cast<double>(life.size());
    }
    for (const ResourceSample& sample : life) {
      products += (sample.at - time) * (static_cast<double>(sample.memory_bytes) - memory);
      squares += (sample.at - time) * (sample.at - time);
    }
    span += life.back().at - life.front().at;
  }
  if (span < rule.span_min) {
    return std::nullopt;
  }
  return products / squares * 60 / kMebibyte;
}

std::uint64_t memory_maximum(std::span<const ResourceSample> samples, Place place) {
  std::uint64_t most = 0;
  for (const ResourceSample& sample : samples) {
    most = std::max(most, sample.place == place ? sample.memory_bytes : 0);
  }
  return most;
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) {
    return {};
  }
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {values.size(), median, values.back()};
}

}  // namespace gradmill::chaos
