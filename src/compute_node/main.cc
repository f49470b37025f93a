// compute_node: trains shards for coordinators.

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "compute_node/adapter/node_handler.h"
#include "compute_node/worker/worker.h"
#include "ml/kernel/kernels.h"
#include "program/arguments.h"
#include "program/exit_code.h"
#include "program/process.h"
#include "rpc/server.h"

namespace gradmill::node {
namespace {

program::CommandLine command_line() {
  program::CommandLine line("compute_node", "Trains shards of data sets for coordinators.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<load_probability>", "share of offers met by simulated load, 0 to 1")
      .option("--host", "HOST", "127.0.0.1", "address to listen on")
      .option("--threads", "N", "1", "OpenMP threads of one task")
      .option("--slots", "N", "1", "tasks trained at a time")
      .option("--load-delay", "TIME", "3s", "how long simulated load delays a task")
      .option("--seed", "N", "1", "of the simulated load")
      .option("--cache-bytes", "N", "1073741824", "bound on the shards it keeps");
  return line;
}

int serve(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return program::kSucceeded;
  }
  program::keep_freed_memory();
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  const double probability = arguments->real("<load_probability>", 0, 1);
  WorkerOptions options;
  options.threads = static_cast<int>(arguments->integer("--threads", 1, 1024));
  options.slots = static_cast<std::uint32_t>(arguments->integer("--slots", 1, 64));
  options.load_delay = arguments->duration("--load-delay");
  options.cache_bytes = arguments->integer("--cache-bytes", 0, UINT64_MAX);
  const std::uint64_t seed = arguments->integer("--seed", 0, UINT64_MAX);

  // The worker's draws depend on its address, which is known once the server listens; the server
  // makes no handler before it is started.
  std::optional<Worker> worker;
  rpc::ServerOptions server_options;
  server_options.name = "compute_node";
  server_options.address = {arguments->text("--host"), port};
  rpc::Server server(server_options, make_node_handlers([&]() -> Worker& { return *worker; }));
  const Address address{server_options.address.host, server.port()};
  worker.emplace(options, LoadSimulation(probability, seed, address.text()));
  server.start();
  const char* const wanted = std::getenv("GRADMILL_KERNEL");  // NOLINT(concurrency-mt-unsafe)
  if (wanted != nullptr && std::string_view(ml::kernels().name) != wanted) {
    throw invalid_input("GRADMILL_KERNEL: this machine cannot run '" + std::string(wanted) + "'");
  }
  spdlog::info("kernel {} for {}", ml::kernel_id(), ml::kernels().name);
  program::announce_listening(address.host, address.port);

  program::wait_for_stop_signal();
  worker->leave();
  if (!server.stop() || !worker->drain(std::chrono::seconds(1))) {
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
