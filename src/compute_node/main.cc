// compute_node: trains shards for coordinators.

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/event_log.h"
#include "compute_node/adapter/node_handler.h"
#include "compute_node/adapter/thrift_join_link.h"
#include "compute_node/command_line/command_line.h"
#include "compute_node/membership/joiner.h"
#include "compute_node/prediction/model_shelf.h"
#include "compute_node/worker/worker.h"
#include "faults/fault_injector.h"
#include "ml/kernel/kernels.h"
#include "program/exit_code.h"
#include "program/process.h"
#include "rpc/server.h"
#include "rpc/tls.h"

namespace gradmill::node {
namespace {

// A task that ends so soon after the signal need not be done again elsewhere.
constexpr std::chrono::milliseconds kLeaveGrace{1000};
constexpr std::chrono::milliseconds kJoinerEnd{200};
// Of calls in progress. With the bounds above and those of Server::stop() this is within 5 s.
constexpr std::chrono::milliseconds kCallsEnd{1500};

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

/// How connections are protected; nothing is set without TLS.
struct Protection {
  std::shared_ptr<rpc::TlsContext> context;
  rpc::ClientTls to_coordinators;
  std::function<void()> on_hangup = program::ignore_hangup;
};

Protection protection_of(const ServeRequest& request) {
  if (!request.tls) {
    return {};
  }
  Protection protection;
  protection.context = std::make_shared<rpc::TlsContext>(*request.tls, rpc::TlsRole::kServer);
  protection.to_coordinators = {
      .context = protection.context,
      .names = std::make_shared<rpc::AllowedNames>(rpc::AllowedNames{
          {request.coordinators.begin(), request.coordinators.end()}, kCoordinatorsOption})};
  protection.on_hangup = [context = protection.context] { context->reload(); };
  return protection;
}

int serve(const std::vector<std::string>& words) {
  std::optional<ServeRequest> request = parse_command_line(words);
  if (!request) {
    return program::kSucceeded;
  }
  program::keep_freed_memory();
  program::keep_threads_small();
  program::raise_descriptor_limit();
  program::hold_hangups();

  // The draws of worker and faults depend on the address, which is known once the server listens;
  // the server makes no handler before it is started.
  std::optional<faults::FaultInjector> injector;
  std::optional<Worker> worker;
  rpc::ServerOptions server_options;
  server_options.name = "compute_node";
  server_options.address = request->listen;
  server_options.clients_max = request->clients_max;
  server_options.drain_timeout = kCallsEnd;
  const Protection protection = protection_of(*request);
  server_options.tls = protection.context;
  if (request->fault_injection) {
    server_options.faults = {
        .admit = [&](auto method) { return !is_task_call(method) || injector->admit_call(); },
        .answer = [&](auto method) { return !is_task_call(method) || injector->answer_call(); }};
    request->options.faults = {
        .begin = [&] { injector->begin_task(); },
        .hold_back = [&](auto compute) { return injector->hold_back(compute); }};
  }
  const auto parts = [&] { return NodeParts{*worker, injector ? &*injector : nullptr}; };
  rpc::Server server(server_options, make_node_handlers(parts, protection.to_coordinators.names));
  const Address address{server_options.address.host, server.port()};
  if (request->fault_injection) {
    injector.emplace(request->seed, address.text());
  }
  worker.emplace(request->options,
                 LoadSimulation(request->load_probability, request->seed, address.text()));
  server.start();
  log_kernel();
  program::announce_listening(address);

  std::optional<Joiner> joiner;
  const JoinRequest& join = request->join;
  if (!join.coordinators.empty()) {
    const Announcement announcement{
        .address = {join.host, join.port == 0 ? address.port : join.port},
        .incarnation = worker->hello().incarnation};
    joiner.emplace(join.coordinators,
                   announcement,
                   make_thrift_join_links(protection.to_coordinators),
                   [&](const std::string& coordinator) { return worker->last_heard(coordinator); });
  }
  program::wait_for_stop_signal(protection.on_hangup);
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
