#include "coordinator/command_line/command_line.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "program/arguments.h"
#include "program/log_options.h"
#include "program/tls_options.h"

namespace gradmill::coordinator {
namespace {

constexpr std::array<std::string_view, 6> kPolicyNames = {
    "1", "random", "2", "load-balancing", "3", "round-robin"};
constexpr const char* kUsersOption = "--tls-users";
constexpr std::chrono::seconds kBatchDelayMax{1};
constexpr std::chrono::hours kForever{24 * 3650};

program::CommandLine command_line() {
  program::CommandLine line("coordinator",
                            "Takes jobs from clients and hands their shards to compute nodes.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<policy>", "1 or random, 2 or load-balancing, 3 or round-robin")
      .values(kPolicyNames)
      .option("--host", "HOST", "127.0.0.1", "address to listen on")
      .option("--nodes", "FILE", "compute_nodes.txt", "the compute nodes, host,port a line")
      .option("--state-dir",
              "DIR",
              std::nullopt,
              "where jobs outlive this process (default ~/.local/state/gradmill)")
      .option("--capacity-timeout",
              "TIME",
              "60s",
              "a job fails when no node takes a task of it for this long")
      .option("--heartbeat-interval", "TIME", "1s", "from one heartbeat of a node to the next")
      .option("--suspect-after", "TIME", "3s", "a node silent for this long gets no new tasks")
      .option("--failed-after", "TIME", "5s", "one silent for this long loses those it has")
      .option("--forget-after", "TIME", "10min", "one that joined and is gone is forgotten")
      .option("--keep-jobs", "N", "200", "ended jobs that stay in the state folder")
      .option("--max-jobs", "N", "1000", "jobs that run, wait or pause at a time")
      .option("--max-running-jobs", "N", "16", "of them run at a time; the others wait in line")
      .option("--cache-bytes",
              "N",
              "4294967296",
              "bound on the shards and weights it keeps in memory, uploads among them")
      .option("--max-batch-size",
              "ROWS",
              "4096",
              "predictions that wait go to a node in batches of so many")
      .option("--max-batch-delay",
              "TIME",
              "0ms",
              "how long a batch may wait to fill while all nodes predict")
      .option("--max-queued-rows", "N", "1048576", "of predictions that wait for a node")
      .option("--max-queued-requests", "N", "1024", "likewise; more are turned away")
      .option("--max-clients", "N", "256", "connections served at a time")
      .option("--seed", "N", "1", "of the policy's random choices and of injected faults")
      .flag("--enable-fault-injection", "let clients break it on purpose: client fault --help");
  program::add_server_tls_options(line);
  line.option(kNodesOption, "LIST", "node", "names in the nodes' certificates")
      .option(kUsersOption,
              "LIST",
              "operator=operator,viewer=viewer",
              "names in clients' certificates, each =viewer or =operator");
  program::add_log_options(line);
  return line;
}

/// Reads the times of failure detection, each of which must be longer than the one before.
void read_detection(const program::Arguments& arguments, CoordinatorOptions& options) {
  constexpr std::array<const char*, 4> kNames = {
      "--heartbeat-interval", "--suspect-after", "--failed-after", "--forget-after"};
  std::array<std::chrono::milliseconds, 4> times{};
  for (std::size_t n = 0; n < kNames.size(); ++n) {
    times[n] = std::min<std::chrono::milliseconds>(arguments.duration(kNames[n]), kForever);
    const bool is_too_short = n == 0 ? times[0].count() == 0 : times[n] <= times[n - 1];
    if (is_too_short) {
      throw invalid_input(
          std::string(kNames[n]) + ": " + arguments.text(kNames[n]) +
          " is too short; it must be longer than " +
          (n == 0 ? "0 ms" : kNames[n - 1] + (" (" + arguments.text(kNames[n - 1]) + ")")));
    }
  }
  options.heartbeat_interval = times[0];
  options.scheduler.detection = {times[1], times[2], times[3]};
}

CoordinatorOptions read_options(const program::Arguments& arguments) {
  CoordinatorOptions options;
  options.scheduler.seed = arguments.integer("--seed", 0, UINT64_MAX);
  options.scheduler.capacity_timeout = arguments.duration("--capacity-timeout");
  options.scheduler.retention.jobs =
      static_cast<std::uint32_t>(arguments.integer("--keep-jobs", 1, 1'000'000));
  options.jobs_max = static_cast<std::uint32_t>(arguments.integer("--max-jobs", 1, 1'000'000));
  options.scheduler.running_jobs_max = arguments.integer("--max-running-jobs", 1, 1'000'000);
  options.blob_bytes_max = arguments.integer("--cache-bytes", 1, INT64_MAX);
  read_detection(arguments, options);
  return options;
}

PredictorOptions read_prediction_options(const program::Arguments& arguments) {
  PredictorOptions options;
  options.batch_rows =
      static_cast<std::uint32_t>(arguments.integer("--max-batch-size", 1, 1'000'000));
  options.batch_delay =
      std::min<std::chrono::milliseconds>(arguments.duration("--max-batch-delay"), kBatchDelayMax);
  options.queued_rows_max = arguments.integer("--max-queued-rows", 1, INT64_MAX);
  options.queued_requests_max =
      static_cast<std::uint32_t>(arguments.integer("--max-queued-requests", 1, 1'000'000));
  return options;
}

}  // namespace

std::optional<ServeRequest> parse_command_line(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  program::apply_log_options(*arguments);
  ServeRequest request;
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  request.options = read_options(*arguments);
  request.predictions = read_prediction_options(*arguments);
  request.policy =
      make_policy(arguments->choice("<policy>", kPolicyNames), request.options.scheduler.seed);
  request.node_list = arguments->text("--nodes");
  request.node_list_given = arguments->given("--nodes");
  request.fault_injection = arguments->flag("--enable-fault-injection");
  request.clients_max = static_cast<int>(arguments->integer("--max-clients", 1, 100'000));
  request.listen = {arguments->host("--host"), port};
  request.tls = program::read_server_tls_options(
      *arguments, request.listen.host, {kNodesOption, kUsersOption});
  request.tls_nodes = arguments->names(kNodesOption);
  request.tls_users = arguments->names(kUsersOption);
  if (arguments->given("--state-dir")) {
    request.state_folder = arguments->text("--state-dir");
  }
  return request;
}

}  // namespace gradmill::coordinator
