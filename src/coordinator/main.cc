// coordinator: takes jobs from clients and hands their shards to compute nodes.

#include <optional>

#include <spdlog/spdlog.h>

#include "base/durable_file.h"
#include "base/error.h"
#include "base/random_id.h"
#include "coordinator/adapter/coordinator_handler.h"
#include "coordinator/adapter/thrift_node_link.h"
#include "coordinator/service/coordinator.h"
#include "formats/node_list.h"
#include "program/arguments.h"
#include "program/exit_code.h"
#include "program/process.h"
#include "rpc/server.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kNodeListBytesMax = std::size_t{64} << 20U;

program::CommandLine command_line() {
  program::CommandLine line("coordinator",
                            "Takes jobs from clients and hands their shards to compute nodes.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<policy>", "1 or random, 2 or load-balancing, 3 or round-robin")
      .option("--host", "HOST", "127.0.0.1", "address to listen on")
      .option("--nodes", "FILE", "compute_nodes.txt", "the compute nodes, host,port a line")
      .option("--capacity-timeout",
              "TIME",
              "60s",
              "a job fails when no node takes a task of it for this long")
      .option("--seed", "N", "1", "of the policy's random choices");
  return line;
}

std::vector<Address> read_nodes(const std::string& path) {
  const formats::NodeList list = formats::parse_node_list(read_file(path, kNodeListBytesMax), path);
  for (const std::string& warning : list.warnings) {
    spdlog::warn("{}", warning);
  }
  if (list.nodes.empty()) {
    throw invalid_input(path + ": names no node; write host,port a line");
  }
  return list.nodes;
}

int serve(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return program::kSucceeded;
  }
  program::keep_freed_memory();
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  CoordinatorOptions options;
  options.scheduler.seed = arguments->integer("--seed", 0, UINT64_MAX);
  options.scheduler.capacity_timeout = arguments->duration("--capacity-timeout");
  std::unique_ptr<Policy> policy = make_policy(arguments->text("<policy>"), options.scheduler.seed);
  const std::vector<Address> nodes = read_nodes(arguments->text("--nodes"));

  // Without a state folder each start is a coordinator of its own.
  const Fence fence{.coordinator = random_id(16), .epoch = 1};
  Coordinator coordinator(options, std::move(policy), nodes, make_thrift_node_links(fence));
  rpc::ServerOptions server_options;
  server_options.name = "coordinator";
  server_options.address = {arguments->text("--host"), port};
  rpc::Server server(server_options, make_coordinator_handlers(coordinator));
  coordinator.start();
  server.start();
  program::announce_listening(server_options.address.host, server.port());

  program::wait_for_stop_signal();
  coordinator.stop();
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
