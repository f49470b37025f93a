// The coordinator as it is, but with nothing kept on disk: what durability costs is the difference.
// usage: forgetful_coordinator PORT POLICY, with compute_nodes.txt in the working folder; options
// of the coordinator mean nothing here
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/durable_file.h"
#include "base/error.h"
#include "coordinator/adapter/coordinator_handler.h"
#include "coordinator/adapter/thrift_node_link.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/memory_store.h"
#include "coordinator/service/prediction/registered_models.h"
#include "formats/node_list.h"
#include "program/process.h"
#include "rpc/server.h"

namespace gradmill::coordinator {
namespace {

constexpr const char* kNodes = "compute_nodes.txt";
constexpr std::size_t kNodeListBytesMax = std::size_t{1} << 20U;

int serve(const std::vector<std::string>& words) {
  program::keep_freed_memory();
  const formats::NodeList list =
      formats::parse_node_list(read_file(kNodes, kNodeListBytesMax), kNodes);
  MemoryStore store;
  StoredState state = store.load();
  const NodeLinkFactories links =
      make_thrift_node_links({.coordinator = state.coordinator, .epoch = state.epoch});
  std::optional<Coordinator> coordinator;
  rpc::ServerOptions options;
  options.name = "coordinator";
  options.address = {"127.0.0.1", static_cast<std::uint16_t>(std::stoi(words.at(0)))};
  const FaultRelay no_faults([] { return std::vector<Address>(); }, links.for_tasks, nullptr);
  std::optional<RegisteredModels> models;
  std::optional<Predictor> predictor;
  rpc::Server server(options, make_coordinator_handlers([&] {
                       return CoordinatorParts{*coordinator, no_faults, *predictor};
                     }));
  coordinator.emplace(CoordinatorOptions{},
                      make_policy(words.at(1), 1),
                      list.nodes,
                      links.for_tasks,
                      store,
                      std::move(state));
  models.emplace(*coordinator);
  predictor.emplace(PredictorOptions{}, links.for_predictions, *models);
  coordinator->tell_of_nodes(*predictor);
  coordinator->start();
  server.start();
  program::announce_listening({options.address.host, server.port()});
  program::wait_for_stop_signal();
  coordinator->stop();
  predictor->stop();
  return server.stop() ? 0 : 1;
}

}  // namespace
}  // namespace gradmill::coordinator

int main(int argc, char** argv) {
  return gradmill::program::run_program("coordinator", [&] {
    return gradmill::coordinator::serve({argv + 1, argv + argc});
  });
}
