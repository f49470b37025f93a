// coordinator: takes jobs from clients and hands their shards to compute nodes.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/durable_file.h"
#include "base/error.h"
#include "base/event_log.h"
#include "coordinator/adapter/access_list.h"
#include "coordinator/adapter/coordinator_handler.h"
#include "coordinator/adapter/thrift_node_link.h"
#include "coordinator/command_line/command_line.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/fault_relay.h"
#include "coordinator/service/prediction/predictor.h"
#include "coordinator/service/prediction/registered_models.h"
#include "coordinator/store/state_folder_store.h"
#include "faults/fault_injector.h"
#include "formats/node_list.h"
#include "program/exit_code.h"
#include "program/process.h"
#include "rpc/server.h"
#include "rpc/tls.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kNodeListBytesMax = std::size_t{64} << 20U;

constexpr std::chrono::milliseconds kLeave{4500};

/// The nodes of the list; a default list need not be there, since nodes may join.
std::vector<Address> read_nodes(const ServeRequest& request) {
  const std::string& path = request.node_list;
  if (!request.node_list_given && !std::filesystem::exists(path)) {
    return {};
  }
  const formats::NodeList list = formats::parse_node_list(read_file(path, kNodeListBytesMax), path);
  for (const std::string& warning : list.warnings) {
    log_event({.level = LogLevel::kWarning, .message = warning});
  }
  if (list.nodes.empty()) {
    throw invalid_input(path + ": names no node; write host,port a line");
  }
  if (list.nodes.size() > kMembersMax) {
    throw invalid_input(path + ": names " + std::to_string(list.nodes.size()) +
                        " nodes; a coordinator has at most " + std::to_string(kMembersMax));
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

std::string state_folder(const ServeRequest& request) {
  if (request.state_folder) {
    return *request.state_folder;
  }
  const std::string home = state_home();
  std::error_code failure;  // Opening the folder says what is wrong.
  std::filesystem::create_directories(home, failure);
  return home + "/gradmill";
}

/// A heartbeat that is missed is to be known before its node is suspect for it.
std::chrono::milliseconds heartbeat_deadline(const FailureDetection& detection) {
  const auto suspect_after =
      std::chrono::duration_cast<std::chrono::milliseconds>(detection.suspect_after);
  return std::min(kHeartbeatDeadlineMax, suspect_after);
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

/// How connections are protected; nothing is set without TLS.
struct Protection {
  std::shared_ptr<rpc::TlsContext> context;
  std::shared_ptr<const AccessList> access;
  rpc::ClientTls to_nodes;
  std::function<void()> on_hangup = program::ignore_hangup;
};

Protection protection_of(const ServeRequest& request) {
  if (!request.tls) {
    return {};
  }
  const std::vector<std::string>& nodes = request.tls_nodes;
  Protection protection;
  protection.access = std::make_shared<AccessList>(nodes, request.tls_users);
  protection.context = std::make_shared<rpc::TlsContext>(*request.tls, rpc::TlsRole::kServer);
  protection.to_nodes = {.context = protection.context,
                         .names = std::make_shared<rpc::AllowedNames>(
                             rpc::AllowedNames{{nodes.begin(), nodes.end()}, kNodesOption})};
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
  const std::vector<Address> nodes = read_nodes(*request);

  rpc::ServerOptions server_options;
  server_options.name = "coordinator";
  server_options.address = request->listen;
  server_options.clients_max = request->clients_max;
  const Protection protection = protection_of(*request);
  server_options.tls = protection.context;
  // The server makes no handler before it is started; its port says who holds the state folder.
  std::optional<faults::FaultInjector> injector;
  std::optional<FaultRelay> relay;
  std::optional<Coordinator> coordinator;
  if (request->fault_injection) {
    server_options.faults = call_faults(injector);
  }
  std::optional<RegisteredModels> models;
  std::optional<Predictor> predictor;
  const auto parts = [&] { return CoordinatorParts{*coordinator, *relay, *predictor}; };
  rpc::Server server(server_options, make_coordinator_handlers(parts, protection.access));
  const Address address{server_options.address.host, server.port()};
  const std::unique_ptr<JobStore> store = open_state_folder(state_folder(*request), address.text());
  StoredState state = store->load();
  for (const std::string& note : state.notes) {
    log_event({.level = LogLevel::kWarning, .event = "state_repaired", .message = note});
  }
  const NodeLinkFactories links =
      make_thrift_node_links({.coordinator = state.coordinator, .epoch = state.epoch},
                             heartbeat_deadline(request->options.scheduler.detection),
                             protection.to_nodes);
  coordinator.emplace(request->options,
                      std::move(request->policy),
                      nodes,
                      links.for_tasks,
                      *store,
                      std::move(state));
  if (request->fault_injection) {
    injector.emplace(request->options.scheduler.seed, address.text());
  }
  relay.emplace([&] { return addresses_of(coordinator->nodes()); },
                links.for_tasks,
                injector ? &*injector : nullptr);
  models.emplace(*coordinator);
  predictor.emplace(request->predictions, links.for_predictions, *models);
  predictor->record_in(coordinator->model_recorders());
  coordinator->tell_of_nodes(*predictor);
  coordinator->start();
  server.start();
  program::announce_listening(address);

  program::wait_for_stop_signal(protection.on_hangup);
  // Whatever is not durable by then is computed again after the next start.
  program::leave_within(kLeave, program::kSucceeded);
  if (injector) {
    injector->stop();
  }
  coordinator->stop();
  predictor->stop();
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
