// What a whole cluster costs, in real processes over loopback: prints `key value` lines.
// usage: cluster_bench [KEY...]; without keys, all of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "byte_relay.h"
#include "system/cluster.h"

namespace gradmill::bench {
namespace {

using system_test::Cluster;
using system_test::Ended;
using system_test::Folder;

constexpr int kRepeats = 5;
constexpr int kShards = 11;
// The hidden layers of a model of about 40,000 parameters, and how many it has exactly.
constexpr const char* kHidden = "256,128";
constexpr std::size_t kParameters = 16 * 256 + 256 + 256 * 128 + 128 + 128 * std::size_t{26} + 26;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRepeats / 2, values.end());
  return values[kRepeats / 2];
}

void require(const Ended& result) {
  if (result.code != 0) {
    throw std::runtime_error("the client failed: " + result.err);
  }
}

/// Seconds from the start of the client to its exit.
double train(const Cluster& cluster, const std::vector<std::string>& words) {
  const auto start = std::chrono::steady_clock::now();
  require(cluster.train(words));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The sum over all tasks of the seconds that a node trained, from a --timing file.
double compute_seconds(const std::string& path) {
  std::ifstream file(path);
  double sum = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, ',');) {
      row.push_back(cell);
    }
    if (row.size() > 6 && row[0] == "task") {
      sum += std::stod(row[6]);
    }
  }
  return sum;
}

/// Microseconds of a task beyond its training: shards of one row, one node. The difference of a
/// long and a short job takes the client's start and end out of it.
double task_overhead_us() {
  constexpr int kShort = 20;
  constexpr int kLong = 420;
  const Folder data;
  for (int shard = 1; shard <= kShards; ++shard) {
    data.write("train_" + std::to_string(shard) + ".txt", "1," + std::to_string(shard % 2) + "\n");
  }
  data.write("validate_1.txt", "1,0\n");
  Cluster::Options options;
  options.load = {"0"};
  const Cluster cluster(options);
  std::vector<double> overheads;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto run = [&](int rounds) {
      const std::string timing = data.path("timing.csv");
      const double wall = train(
          cluster, {data.path(), std::to_string(rounds), "1", "1", "0.0001", "--timing", timing});
      return wall - compute_seconds(timing);
    };
    const double once = run(kShort);
    overheads.push_back((run(kLong) - once) / (kShards * (kLong - kShort)) * 1e6);
  }
  return median(overheads);
}

/// Bytes between coordinator and nodes in a round, heartbeats left out, over the least that must
/// pass: the weights to each node, a delta from each shard. The difference of a long and a short
/// job leaves the first round out.
double wire_bytes_ratio() {
  constexpr int kShort = 5;
  constexpr int kLong = 45;
  constexpr int kNodes = 2;
  std::vector<std::unique_ptr<ByteRelay>> relays;
  Cluster::Options options;
  options.load.assign(kNodes, "0");
  options.listed_port = [&](std::uint16_t port) {
    return relays.emplace_back(std::make_unique<ByteRelay>(port))->port();
  };
  const Cluster cluster(options);
  const auto bytes_of = [&](int rounds) {
    const auto total = [&] {
      double bytes = 0;
      for (const auto& relay : relays) {
        bytes += static_cast<double>(relay->bytes());
      }
      return bytes;
    };
    const double before = total();
    static_cast<void>(
        train(cluster, {GRADMILL_LETTERS, std::to_string(rounds), "1", kHidden, "0.0001"}));
    return total() - before;
  };
  static_cast<void>(bytes_of(1));  // Brings the shards to both nodes.
  const double once = bytes_of(kShort);
  const double round = (bytes_of(kLong) - once) / (kLong - kShort);
  return round / static_cast<double>(sizeof(float) * kParameters * (kNodes + kShards));
}

/// The client's own example with two nodes.
double wall_example_s() {
  const Cluster cluster;
  std::vector<double> walls;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    walls.push_back(train(cluster, {GRADMILL_LETTERS, "3", "75", "24", "0.0001"}));
  }
  return median(walls);
}

/// How much longer a job takes on one cluster than on the other: pairs of runs in turn, so that
/// whatever else the machine does meets both.
double added_share(const Cluster& with,
                   const Cluster& without,
                   const std::vector<std::string>& words,
                   int pairs) {
  std::vector<double> ratios;
  for (int pair = 0; pair < pairs; ++pair) {
    const bool first = pair % 2 == 0;
    const double one = train(first ? with : without, words);
    const double other = train(first ? without : with, words);
    ratios.push_back(first ? one / other : other / one);
  }
  std::nth_element(ratios.begin(), ratios.begin() + pairs / 2, ratios.end());
  return ratios[static_cast<std::size_t>(pairs / 2)] - 1;
}

/// The share of the example's time that durability takes.
double durability_cost() {
  Cluster::Options options;
  const Cluster durable(options);
  options.coordinator = "forgetful_coordinator";
  const Cluster forgetful(options);
  return added_share(durable, forgetful, {GRADMILL_LETTERS, "3", "75", "24", "0.0001"}, 31);
}

/// The share of a job of about a second that heartbeats take.
double heartbeat_cost() {
  Cluster::Options options;
  const Cluster every_second(options);
  options.coordinator_options = {"--heartbeat-interval",
                                 "10min",
                                 "--suspect-after",
                                 "20min",
                                 "--failed-after",
                                 "30min",
                                 "--forget-after",
                                 "40min"};
  const Cluster never(options);
  return added_share(every_second, never, {GRADMILL_LETTERS, "12", "75", "24", "0.0001"}, 15);
}

int run(const std::vector<std::string>& keys) {
  const std::vector<std::pair<std::string, std::function<double()>>> figures = {
      {"task_overhead_us", task_overhead_us},
      {"wire_bytes_ratio", wire_bytes_ratio},
      {"wall_example_s", wall_example_s},
      {"durability_cost", durability_cost},
      {"heartbeat_cost", heartbeat_cost}};
  for (const auto& [key, figure] : figures) {
    if (keys.empty() || std::find(keys.begin(), keys.end(), key) != keys.end()) {
      static_cast<void>(std::printf("%s %.6g\n", key.c_str(), figure()));
      static_cast<void>(std::fflush(stdout));
    }
  }
  return 0;
}

}  // namespace
}  // namespace gradmill::bench

int main(int argc, char** argv) {
  try {
    return gradmill::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "cluster_bench: %s\n", error.what()));
    return 1;
  }
}
