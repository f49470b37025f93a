#include "chaos/report.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace gradmill::chaos {

namespace {

/// A connection each for heartbeats and tasks, whose successor is there before the end of the old
/// one is noticed. All others are gone once everything is quiet.
constexpr std::uint64_t kSlack = 2;
/// A process fills its caches in its first minute. What else grows by that much is a leak: one of
/// 20 KiB a job shows, and a single buffer of the largest size, kept late, does not.
constexpr SlopeRule kSlopeRule{.warm_up = 60, .span_min = 300};
constexpr double kSlopeMax = 3;  // MiB a minute
constexpr double kMebibyte = 1024.0 * 1024.0;

const ResourceSample* sample_of(const std::vector<ResourceSample>& samples, Place place) {
  const auto found = std::find_if(
      samples.begin(), samples.end(), [&](const auto& sample) { return sample.place == place; });
  return found == samples.end() ? nullptr : &*found;
}

FaultRow row_of(Fault fault, const Record& record) {
  FaultRow row{.fault = fault};
  std::vector<double> detections;
  std::vector<double> recoveries;
  for (const MadeStrike& strike : record.strikes) {
    if (strike.fault != fault) {
      continue;
    }
    if (!strike.took_place) {
      ++row.left_out;
      continue;
    }
    ++row.made;
    row.noticeable += is_noticeable(strike) ? 1 : 0;
    row.recoverable += is_recoverable(strike) ? 1 : 0;
    if (const auto seen = detection(strike, record.log)) {
      detections.push_back(*seen);
    }
    if (const auto again = recovery(strike, record.log, record.results)) {
      recoveries.push_back(*again);
    }
  }
  row.detection = spread_of(std::move(detections));
  row.recovery = spread_of(std::move(recoveries));
  return row;
}

std::string format(const char* pattern, double value) {
  std::array<char, 64> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), pattern, value));
  return text.data();
}

std::string padded(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string share(std::size_t count, std::size_t all) {
  return all == 0 ? "-" : std::to_string(count) + "/" + std::to_string(all);
}

std::string time_text(const Spread& spread, double value) {
  return spread.count == 0 ? "-" : format("%.2f s", value);
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"count", spread.count},
          {"median_seconds", spread.median},
          {"maximum_seconds", spread.maximum}};
}

void judge_jobs(const Record& record, Report& report) {
  for (const JobRun& job : record.jobs) {
    report.clients += static_cast<std::size_t>(job.clients);
    if (job.outcome == Outcome::kSame) {
      continue;
    }
    const char* what = "has not ended";
    if (job.outcome == Outcome::kWrong) {
      ++report.wrong;
      what = "has a wrong result";
    } else if (job.outcome == Outcome::kFailed) {
      ++report.failed;
      what = "failed";
    } else {
      ++report.unended;
    }
    report.violations.push_back("job " + job.id + " (" + job.kind + ", from second " +
                                format("%.1f", job.began) + " to " + format("%.1f", job.ended) +
                                ") " + what + ": " + job.why);
  }
}

void judge_memory(Report& report) {
  for (const ProcessRow& row : report.processes) {
    if (row.memory_slope.value_or(0) > kSlopeMax) {
      report.violations.push_back("the memory of " + std::string(name_of(row.place)) +
                                  " grows by " + format("%.2f", *row.memory_slope) +
                                  " MiB a minute; at most " + format("%.0f", kSlopeMax) +
                                  " are no leak");
    }
  }
}

void print_faults(const Report& report, std::ostream& out) {
  out << "fault                  made  detected   median  maximum  recovered   median  maximum\n";
  std::size_t all = 0;
  for (const FaultRow& row : report.faults) {
    std::string name(name_of(row.fault));
    name.resize(21, ' ');
    out << name << padded(std::to_string(row.made), 6)
        << padded(share(row.detection.count, row.noticeable), 10)
        << padded(time_text(row.detection, row.detection.median), 9)
        << padded(time_text(row.detection, row.detection.maximum), 9)
        << padded(share(row.recovery.count, row.recoverable), 11)
        << padded(time_text(row.recovery, row.recovery.median), 9)
        << padded(time_text(row.recovery, row.recovery.maximum), 9);
    if (row.left_out > 0) {
      out << "  (" << row.left_out << " left out)";
    }
    out << "\n";
    all += row.made;
  }
  out << "all                  " << padded(std::to_string(all), 6) << "\n";
}

void print_processes(const Report& report, std::ostream& out) {
  out << "process          descriptors  (before)  threads  (before)  memory, MiB  MiB/min\n";
  for (const ProcessRow& row : report.processes) {
    std::string name(name_of(row.place));
    name.resize(15, ' ');
    out << name << padded(std::to_string(row.descriptors_after), 13)
        << padded("(" + std::to_string(row.descriptors_before) + ")", 10)
        << padded(std::to_string(row.threads_after), 9)
        << padded("(" + std::to_string(row.threads_before) + ")", 10)
        << padded(format("%.0f", row.memory_max), 13)
        << padded(row.memory_slope ? format("%+.2f", *row.memory_slope) : "-", 9) << "\n";
  }
}

}  // namespace

bool back_to_base(const std::vector<ResourceSample>& base,
                  const std::vector<ResourceSample>& after) {
  return std::all_of(base.begin(), base.end(), [&](const ResourceSample& before) {
    const ResourceSample* const now = sample_of(after, before.place);
    return now != nullptr && now->descriptors <= before.descriptors + kSlack &&
           now->threads <= before.threads + kSlack;
  });
}

Report make_report(const Record& record) {
  Report report{.seed = record.seed, .minutes = record.minutes, .jobs = record.jobs.size()};
  for (const Fault fault : all_faults()) {
    report.faults.push_back(row_of(fault, record));
  }
  for (const ResourceSample& before : record.base) {
    const ResourceSample* const now = sample_of(record.after, before.place);
    const ResourceSample after = now != nullptr ? *now : ResourceSample{};
    // The others die too often; and connections that come and go spread over all arenas of the
    // allocator, which keep what they had at most. This one has a single arena.
    const bool is_judged = before.place == Place::kSparedNode;
    report.processes.push_back(
        {.place = before.place,
         .descriptors_before = before.descriptors,
         .descriptors_after = after.descriptors,
         .threads_before = before.threads,
         .threads_after = after.threads,
         .memory_max =
             static_cast<double>(memory_maximum(record.resources, before.place)) / kMebibyte,
         .memory_slope =
             is_judged ? memory_slope(record.resources, before.place, kSlopeRule) : std::nullopt});
  }
  judge_jobs(record, report);
  judge_memory(report);
  if (record.jobs.empty()) {
    report.violations.emplace_back("no job was run");
  }
  if (!back_to_base(record.base, record.after)) {
    report.violations.emplace_back(
        "descriptors or threads of a process did not come back to where they were");
  }
  return report;
}

int exit_code_of(const Report& report) { return report.violations.empty() ? kGood : kViolated; }

void print(const Report& report, std::ostream& out) {
  out << "seed " << report.seed << ", " << format("%.1f", report.minutes)
      << " minutes of faults\n\n";
  print_faults(report, out);
  out << "\n";
  print_processes(report, out);
  out << "\njobs " << report.jobs << " (clients " << report.clients << "), wrong results "
      << report.wrong << ", unexpectedly failed " << report.failed << ", not ended "
      << report.unended << "\n";
  for (const std::string& violation : report.violations) {
    out << "violated: " << violation << "\n";
  }
  out << (report.violations.empty() ? "all is well\n" : "");
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json faults = nlohmann::ordered_json::array();
  for (const FaultRow& row : report.faults) {
    faults.push_back({{"fault", name_of(row.fault)},
                      {"made", row.made},
                      {"left_out", row.left_out},
                      {"noticeable", row.noticeable},
                      {"recoverable", row.recoverable},
                      {"detection", to_json(row.detection)},
                      {"recovery", to_json(row.recovery)}});
  }
  nlohmann::ordered_json processes = nlohmann::ordered_json::array();
  for (const ProcessRow& row : report.processes) {
    processes.push_back({{"process", name_of(row.place)},
                         {"descriptors_before", row.descriptors_before},
                         {"descriptors_after", row.descriptors_after},
                         {"threads_before", row.threads_before},
                         {"threads_after", row.threads_after},
                         {"memory_mib_maximum", row.memory_max},
                         {"memory_mib_per_minute",
                          row.memory_slope ? nlohmann::ordered_json(*row.memory_slope)
                                           : nlohmann::ordered_json()}});
  }
  return {{"seed", report.seed},
          {"minutes", report.minutes},
          {"faults", faults},
          {"processes", processes},
          {"jobs", report.jobs},
          {"clients", report.clients},
          {"wrong_results", report.wrong},
          {"unexpectedly_failed", report.failed},
          {"not_ended", report.unended},
          {"violations", report.violations}};
}

void write_timeline(const Record& record, std::ostream& out) {
  out << "kind,what,where,begin,end,value\n";
  for (const MadeStrike& strike : record.strikes) {
    for (const Place place : strike.places) {
      if (strike.took_place) {
        out << "fault," << name_of(strike.fault) << ',' << name_of(place) << ',' << strike.began
            << ',' << strike.ended << ",0\n";
      }
    }
  }
  for (const LogEntry& entry : record.log) {
    out << "event," << entry.event << ',' << (entry.node.empty() ? entry.job : entry.node) << ','
        << entry.at << ',' << entry.at << ",0\n";
  }
  for (const JobRun& job : record.jobs) {
    out << "job," << job.kind << ',' << job.id << ',' << job.began << ',' << job.ended << ','
        << (job.outcome == Outcome::kSame ? 0 : 1) << "\n";
  }
  for (const ResourceSample& sample : record.resources) {
    out << "memory," << sample.pid << ',' << name_of(sample.place) << ',' << sample.at << ','
        << sample.at << ',' << sample.memory_bytes << "\n";
  }
}

}  // namespace gradmill::chaos
