// coordinator: takes jobs from clients and hands their shards to compute nodes.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/durable_file.h"
#include "base/error.h"
#include "base/event_log.h"
#include "coordinator/adapter/coordinator_handler.h"
#include "coordinator/adapter/thrift_node_link.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/fault_relay.h"
#include "coordinator/store/state_folder_store.h"
#include "faults/fault_injector.h"
#include "formats/node_list.h"
#include "program/arguments.h"
#include "program/exit_code.h"
#include "program/log_options.h"
#include "program/process.h"
#include "rpc/server.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kNodeListBytesMax = std::size_t{64} << 20U;

constexpr std::chrono::milliseconds kLeave{4500};
constexpr std::chrono::hours kForever{24 * 3650};

program::CommandLine command_line() {
  program::CommandLine line("coordinator",
                            "Takes jobs from clients and hands their shards to compute nodes.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<policy>", "1 or random, 2 or load-balancing, 3 or round-robin")
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
      .option("--seed", "N", "1", "of the policy's random choices and of injected faults")
      .flag("--enable-fault-injection", "let clients break it on purpose: client fault --help");
  program::add_log_options(line);
  return line;
}

/// The nodes of the list; a default list need not be there, since nodes may join.
std::vector<Address> read_nodes(const program::Arguments& arguments) {
  const std::string path = arguments.text("--nodes");
  if (!arguments.given("--nodes") && !std::filesystem::exists(path)) {
    return {};
  }
  const formats::NodeList list = formats::parse_node_list(read_file(path, kNodeListBytesMax), path);
  for (const std::string& warning : list.warnings) {
    log_event({.level = LogLevel::kWarning, .message = warning});
  }
  if (list.nodes.empty()) {
    throw invalid_input(path + ": names no node; write host,port a line");
  }
  return list.nodes;
}

/// Where the user's programs keep their state.
std::string state_home() {
  // Read once, before any thread is started.
  const char* const state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe)
  if (state != nullptr && *state != '\0') {
    return state;
  }
  const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home == nullptr || *home == '\0') {
    throw invalid_input("HOME is not set; say where jobs are kept by --state-dir DIR");
  }
  return std::string(home) + "/.local/state";
}

std::string state_folder(const program::Arguments& arguments) {
  if (arguments.given("--state-dir")) {
    return arguments.text("--state-dir");
  }
  const std::string home = state_home();
  std::error_code failure;  // Opening the folder says what is wrong.
  std::filesystem::create_directories(home, failure);
  return home + "/gradmill";
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

/// A heartbeat that is missed is to be known before its node is suspect for it.
std::chrono::milliseconds heartbeat_deadline(const FailureDetection& detection) {
  const auto suspect_after =
      std::chrono::duration_cast<std::chrono::milliseconds>(detection.suspect_after);
  return std::min(kHeartbeatDeadlineMax, suspect_after);
}

CoordinatorOptions read_options(const program::Arguments& arguments) {
  CoordinatorOptions options;
  options.scheduler.seed = arguments.integer("--seed", 0, UINT64_MAX);
  options.scheduler.capacity_timeout = arguments.duration("--capacity-timeout");
  options.scheduler.retention.jobs =
      static_cast<std::uint32_t>(arguments.integer("--keep-jobs", 1, 1'000'000));
  read_detection(arguments, options);
  return options;
}

std::vector<Address> addresses_of(const std::vector<NodeStatus>& nodes) {
  std::vector<Address> addresses;
  addresses.reserve(nodes.size());
  for (const NodeStatus& node : nodes) {
    addresses.push_back(node.address);
  }
  return addresses;
}

/// What the injector, made by the time of the first call, does to calls of clients.
rpc::CallFaults call_faults(std::optional<faults::FaultInjector>& injector) {
  const auto admit = [&injector](std::string_view method) {
    if (!is_client_call(method)) {
      return true;
    }
    injector->begin_task();
    return injector->admit_call();
  };
  const auto answer = [&injector](std::string_view method) {
    return !is_client_call(method) || injector->answer_call();
  };
  return {.admit = admit, .answer = answer};
}

int serve(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return program::kSucceeded;
  }
  program::apply_log_options(*arguments);
  program::keep_freed_memory();
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  const CoordinatorOptions options = read_options(*arguments);
  std::unique_ptr<Policy> policy = make_policy(arguments->text("<policy>"), options.scheduler.seed);
  const std::vector<Address> nodes = read_nodes(*arguments);

  rpc::ServerOptions server_options;
  server_options.name = "coordinator";
  server_options.address = {arguments->text("--host"), port};
  // The server makes no handler before it is started; its port says who holds the state folder.
  std::optional<faults::FaultInjector> injector;
  std::optional<FaultRelay> relay;
  std::optional<Coordinator> coordinator;
  if (arguments->flag("--enable-fault-injection")) {
    server_options.faults = call_faults(injector);
  }
  rpc::Server server(server_options, make_coordinator_handlers([&] {
                       return CoordinatorParts{*coordinator, *relay};
                     }));
  const Address address{server_options.address.host, server.port()};
  const std::unique_ptr<JobStore> store =
      open_state_folder(state_folder(*arguments), address.text());
  StoredState state = store->load();
  for (const std::string& note : state.notes) {
    log_event({.level = LogLevel::kWarning, .event = "state_repaired", .message = note});
  }
  const NodeLinkFactory links =
      make_thrift_node_links({.coordinator = state.coordinator, .epoch = state.epoch},
                             heartbeat_deadline(options.scheduler.detection));
  coordinator.emplace(options, std::move(policy), nodes, links, *store, std::move(state));
  if (arguments->flag("--enable-fault-injection")) {
    injector.emplace(options.scheduler.seed, address.text());
  }
  relay.emplace(
      [&] { return addresses_of(coordinator->nodes()); }, links, injector ? &*injector : nullptr);
  coordinator->start();
  server.start();
  program::announce_listening(address.host, address.port);

  program::wait_for_stop_signal();
  // Whatever is not durable by then is computed again after the next start.
  program::leave_within(kLeave, program::kSucceeded);
  if (injector) {
    injector->stop();
  }
  coordinator->stop();
  if (!server.stop()) {
    program::leave_at_once(program::kSucceeded);
  }
  return program::kSucceeded;
}

}  // namespace
}  // namespace gradmill::coordinator

int main(int argc, char** argv) {
  return gradmill::program::run_program("coordinator", [&] {
    return gradmill::coordinator::serve({argv + 1, argv + argc});
  });
}
