// The simulator of the coordinator's core. See scripts/simulate.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "simulation/scale.h"
#include "simulation/search.h"

namespace {

using namespace gradmill::simulation;

struct Options {
  std::uint64_t histories = 100'000;
  std::uint64_t first_seed = 1;
  unsigned processes = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
  std::optional<std::uint64_t> seed;
  bool scale = false;
};

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Nothing if an option is wrong, which is named on stderr then.
std::optional<Options> read_options(std::span<char*> arguments) {
  Options options;
  for (std::size_t n = 0; n < arguments.size(); ++n) {
    const std::string option = arguments[n];
    if (option == "--scale") {
      options.scale = true;
      continue;
    }
    std::uint64_t value = 0;
    const bool known = option == "--seed" || option == "--histories" || option == "--first-seed" ||
                       option == "--processes";
    if (!known || ++n == arguments.size() || !read_number(arguments[n], value)) {
      static_cast<void>(std::fprintf(
          stderr,
          known ? "simulation: '%s' needs a number\n" : "simulation: '%s' is no option\n",
          option.c_str()));
      return std::nullopt;
    }
    if (option == "--seed") {
      options.seed = value;
    } else if (option == "--histories") {
      options.histories = value;
    } else if (option == "--first-seed") {
      options.first_seed = value;
    } else {
      options.processes = static_cast<unsigned>(std::clamp<std::uint64_t>(value, 1, 64));
    }
  }
  return options;
}

void print(std::string_view name, std::uint64_t count) {
  std::printf("  %-24.*s %12llu\n",
              static_cast<int>(name.size()),
              name.data(),
              static_cast<unsigned long long>(count));
}

void print(const SearchResult& result) {
  const Counts& counts = result.counts;
  std::printf("faults\n");
  for (std::size_t n = 0; n < kFaults; ++n) {
    print(kFaultNames[n], counts.faults[n]);
  }
  std::printf("crashes of the coordinator\n");
  for (std::size_t n = 0; n < kCrashPoints; ++n) {
    print(kCrashPointNames[n], counts.crashes[n]);
  }
  std::printf("in all\n");
  for (std::size_t n = 0; n < kTallies; ++n) {
    print(kTallyNames[n], counts.tallies[n]);
  }
  const auto histories = static_cast<double>(counts.of(Tally::kHistories));
  std::printf("%.0f histories, %.1f faults each, %.1f s, %.0f events/s\n",
              histories,
              static_cast<double>(counts.all_faults()) / std::max(histories, 1.0),
              result.seconds,
              static_cast<double>(counts.of(Tally::kEvents)) / result.seconds);
}

int run(const Options& options) {
  if (options.scale) {
    return report_scale() ? 0 : 1;
  }
  if (options.seed) {
    return replay(*options.seed, true) ? 0 : 1;
  }
  const SearchResult result = search(options.first_seed, options.histories, options.processes);
  if (result.failing_seed) {
    static_cast<void>(replay(*result.failing_seed, false));
    std::printf("found after %llu histories, %.1f s; seed %llu\n",
                static_cast<unsigned long long>(*result.failing_seed - options.first_seed + 1),
                result.seconds,
                static_cast<unsigned long long>(*result.failing_seed));
    return 1;
  }
  print(result);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options =
      read_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  return options ? run(*options) : 2;
}
