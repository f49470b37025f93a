// Chaos. See scripts/chaos.
#include <signal.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chaos/injector.h"
#include "chaos/jobs.h"
#include "chaos/observer.h"
#include "chaos/plan.h"
#include "chaos/report.h"
#include "chaos/run_clock.h"
#include "chaos/stage.h"

namespace {

using namespace gradmill;
using namespace gradmill::chaos;

constexpr std::chrono::seconds kLastJobs{300};
/// In which jobs are still submitted, so that recoveries show.
constexpr std::chrono::seconds kAftermath{5};
/// Idle connections are closed by the other end within 30 s.
constexpr std::chrono::seconds kQuiet{60};
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;

std::atomic<bool> interrupted = false;

struct Options {
  double minutes = 1;
  std::uint64_t seed = 1;
  std::string timeline;
  bool list = false;
  bool json = false;
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// False if the value is none of that option, or the option none of ours.
bool read_option(const std::string& name, const std::string& value, Options& options) {
  if (name == "--minutes") {
    return read_number(value, options.minutes) && options.minutes > 0 && options.minutes <= 10'000;
  }
  if (name == "--seed") {
    return read_number(value, options.seed);
  }
  if (name == "--timeline") {
    options.timeline = value;
    return !value.empty();
  }
  options.json = value == "json";
  return name == "--format" && (options.json || value == "text");
}

/// Nothing if an option is wrong, which is named on stderr then.
std::optional<Options> read_options(std::span<char*> arguments) {
  Options options;
  for (std::size_t n = 0; n < arguments.size(); ++n) {
    const std::string name = arguments[n];
    if (name == "--list-faults") {
      options.list = true;
      continue;
    }
    const std::string value = n + 1 < arguments.size() ? arguments[n + 1] : "";
    if (++n == arguments.size() || !read_option(name, value, options)) {
      static_cast<void>(
          std::fprintf(stderr, "chaos: '%s %s' is no option\n", name.c_str(), value.c_str()));
      return std::nullopt;
    }
  }
  return options;
}

void list_faults() {
  for (const Fault fault : all_faults()) {
    std::string name(name_of(fault));
    name.resize(22, ' ');
    std::cout << name << description_of(fault) << "\n";
  }
}

void tell(const std::string& what) { std::cerr << "chaos: " << what << "\n"; }

/// Of all processes, once no job is there and connections have had time to go.
std::vector<ResourceSample> quiet_resources(const Stage& stage,
                                            const RunClock& clock,
                                            const std::vector<ResourceSample>& base) {
  std::vector<ResourceSample> now;
  static_cast<void>(system_test::eventually(
      [&] {
        now = sample_resources(stage, clock.now());
        return interrupted || back_to_base(base, now);
      },
      kQuiet));
  return now;
}

Record run(const Options& options) {
  const RunClock clock;
  CoordinatorLog log(clock);
  std::vector<JobKind> kinds = job_kinds();
  const Plan plan = make_plan(
      options.seed, std::chrono::milliseconds(static_cast<std::int64_t>(options.minutes * 60'000)));
  Stage stage({.seed = options.seed,
               .coordinator_started = [&](const auto& process) { log.follow(process); }});
  tell("seed " + std::to_string(options.seed) + ", " + std::to_string(plan.strikes.size()) +
       " faults; first " + std::to_string(kinds.size()) + " jobs without any");
  note_hashes(kinds, stage.coordinator_port());

  Record record{.seed = options.seed};
  record.base = quiet_resources(stage, clock, {});
  Observer observer(stage, log, clock);
  // Some clients have no bad link, so that nodes have work while others are cut off.
  const std::uint16_t bad = stage.client_port();
  const std::uint16_t good = stage.coordinator_port();
  JobRunner jobs(kinds, {bad, good, bad, good}, "chaos-", clock);
  tell("faults from second " + std::to_string(static_cast<int>(clock.now())) + " on");
  const Seconds begin = clock.now();
  record.strikes = inject(plan, stage, clock, interrupted);
  record.minutes = (clock.now() - begin) / 60;
  if (interrupted) {
    return record;
  }
  tell("no faults any more; waiting for the last jobs");
  static_cast<void>(system_test::eventually([] { return interrupted.load(); }, kAftermath));
  record.jobs = jobs.finish(kLastJobs);
  record.after = quiet_resources(stage, clock, record.base);
  Observer::Observations seen = observer.stop();
  record.results = std::move(seen.results);
  record.resources = std::move(seen.resources);
  log.read();
  record.log = log.entries();
  return record;
}

int run_and_report(const Options& options) {
  const Record record = run(options);
  if (interrupted) {
    return kInterrupted;
  }
  const Report report = make_report(record);
  if (options.json) {
    std::cout << to_json(report).dump(2) << "\n";
  } else {
    print(report, std::cout);
  }
  if (!options.timeline.empty()) {
    std::ofstream file(options.timeline);
    write_timeline(record, file);
    if (!file.flush()) {
      tell(options.timeline + ": cannot be written");
      return kUsage;
    }
  }
  return exit_code_of(report);
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options =
      read_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!options) {
    return kUsage;
  }
  if (options->list) {
    list_faults();
    return kGood;
  }
  for (const int number : {SIGINT, SIGTERM}) {
    static_cast<void>(::signal(number, [](int) { interrupted = true; }));
  }
  try {
    return run_and_report(*options);
  } catch (const std::exception& error) {
    tell(error.what());
    return interrupted ? kInterrupted : kViolated;
  }
}
