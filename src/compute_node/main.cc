// compute_node: trains shards for coordinators.

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/event_log.h"
#include "compute_node/adapter/node_handler.h"
#include "compute_node/adapter/thrift_join_link.h"
#include "compute_node/membership/joiner.h"
#include "compute_node/worker/worker.h"
#include "faults/fault_injector.h"
#include "ml/kernel/kernels.h"
#include "program/arguments.h"
#include "program/exit_code.h"
#include "program/log_options.h"
#include "program/process.h"
#include "rpc/server.h"

namespace gradmill::node {
namespace {

// A task that ends so soon after the signal need not be done again elsewhere.
constexpr std::chrono::milliseconds kLeaveGrace{1000};
constexpr std::chrono::milliseconds kJoinerEnd{200};
// Of calls in progress. With the bounds above and those of Server::stop() this is within 5 s.
constexpr std::chrono::milliseconds kCallsEnd{1500};

program::CommandLine command_line() {
  program::CommandLine line("compute_node", "Trains shards of data sets for coordinators.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<load_probability>", "share of offers met by simulated load, 0 to 1")
      .option("--host", "HOST", "127.0.0.1", "address to listen on")
      .option("--threads", "N", "1", "OpenMP threads of one task")
      .option("--slots", "N", "1", "tasks trained at a time")
      .option("--load-delay", "TIME", "3s", "how long simulated load delays a task")
      .option("--seed", "N", "1", "of the simulated load and of injected faults")
      .option("--cache-bytes", "N", "1073741824", "bound on the shards it keeps");
  line.option("--join",
              "LIST",
              std::nullopt,
              "coordinators to announce itself to, HOST:PORT with commas between")
      .option("--advertise",
              "HOST[:PORT]",
              std::nullopt,
              "where they reach it (default --host and the port)")
      .flag("--enable-fault-injection", "let clients break it on purpose: client fault --help");
  program::add_log_options(line);
  return line;
}

/// What --join and --advertise ask for.
struct JoinOptions {
  std::vector<Address> coordinators;  // empty: join nobody
  std::string host;
  std::uint16_t port = 0;  // 0: the one that the node listens on
};

bool is_any_address(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

JoinOptions join_options(const program::Arguments& arguments) {
  JoinOptions join;
  if (!arguments.given("--join")) {
    if (arguments.given("--advertise")) {
      throw invalid_input("--advertise does not go without --join");
    }
    return join;
  }
  join.coordinators = arguments.addresses("--join");
  join.host = arguments.text("--host");
  const bool advertises = arguments.given("--advertise");
  if (advertises) {
    const Address address = arguments.address("--advertise", 0);
    join.host = address.host;
    join.port = address.port;
  }
  if (is_any_address(join.host)) {
    throw invalid_input(std::string(advertises ? "--advertise" : "--host") + ": '" + join.host +
                        "' cannot be reached from elsewhere; with --join, name the node's own "
                        "address by --advertise");
  }
  return join;
}

/// Says which kernel runs. Throws Error(kInvalidInput) if GRADMILL_KERNEL names another.
void log_kernel() {
  const char* const wanted = std::getenv("GRADMILL_KERNEL");  // NOLINT(concurrency-mt-unsafe)
  if (wanted != nullptr && std::string_view(ml::kernels().name) != wanted) {
    std::string names;
    for (const ml::Kernels* const set : ml::runnable_kernels()) {
      names += (names.empty() ? "" : ", ") + std::string(set->name);
    }
    throw invalid_input("GRADMILL_KERNEL: this machine cannot run '" + std::string(wanted) +
                        "'; it runs: " + names);
  }
  log_event({.event = "kernel_chosen",
             .fields = {{"kernel_id", ml::kernel_id()}, {"instructions", ml::kernels().name}},
             .message = std::string("kernel ") + ml::kernel_id() + " for " + ml::kernels().name,
             .plain = true});
}

int serve(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return program::kSucceeded;
  }
  program::apply_log_options(*arguments);
  program::keep_freed_memory();
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  const double probability = arguments->real("<load_probability>", 0, 1);
  WorkerOptions options;
  options.threads = static_cast<int>(arguments->integer("--threads", 1, 1024));
  options.slots = static_cast<std::uint32_t>(arguments->integer("--slots", 1, 64));
  options.load_delay = arguments->duration("--load-delay");
  options.cache_bytes = arguments->integer("--cache-bytes", 0, UINT64_MAX);
  const JoinOptions join = join_options(*arguments);
  const std::uint64_t seed = arguments->integer("--seed", 0, UINT64_MAX);

  // The draws of worker and faults depend on the address, which is known once the server listens;
  // the server makes no handler before it is started.
  const bool with_faults = arguments->flag("--enable-fault-injection");
  std::optional<faults::FaultInjector> injector;
  std::optional<Worker> worker;
  rpc::ServerOptions server_options;
  server_options.name = "compute_node";
  server_options.address = {arguments->text("--host"), port};
  server_options.drain_timeout = kCallsEnd;
  if (with_faults) {
    server_options.faults = {
        .admit = [&](auto method) { return !is_task_call(method) || injector->admit_call(); },
        .answer = [&](auto method) { return !is_task_call(method) || injector->answer_call(); }};
    options.faults = {.begin = [&] { injector->begin_task(); },
                      .hold_back = [&](auto compute) { return injector->hold_back(compute); }};
  }
  rpc::Server server(server_options, make_node_handlers([&] {
                       return NodeParts{*worker, injector ? &*injector : nullptr};
                     }));
  const Address address{server_options.address.host, server.port()};
  if (with_faults) {
    injector.emplace(seed, address.text());
  }
  worker.emplace(options, LoadSimulation(probability, seed, address.text()));
  server.start();
  log_kernel();
  program::announce_listening(address.host, address.port);

  std::optional<Joiner> joiner;
  if (!join.coordinators.empty()) {
    const Announcement announcement{
        .address = {join.host, join.port == 0 ? address.port : join.port},
        .incarnation = worker->hello().incarnation};
    joiner.emplace(join.coordinators,
                   announcement,
                   make_thrift_join_link,
                   [&](const std::string& coordinator) { return worker->last_heard(coordinator); });
  }
  program::wait_for_stop_signal();
  if (injector) {
    injector->stop();
  }
  const bool joiner_ended = !joiner || joiner->stop(kJoinerEnd);
  worker->leave(kLeaveGrace);
  if (!server.stop() || !worker->drain(std::chrono::seconds(1)) || !joiner_ended) {
    program::leave_at_once(program::kSucceeded);
  }
  return program::kSucceeded;
}

}  // namespace
}  // namespace gradmill::node

int main(int argc, char** argv) {
  return gradmill::program::run_program("compute_node", [&] {
    return gradmill::node::serve({argv + 1, argv + argc});
  });
}
