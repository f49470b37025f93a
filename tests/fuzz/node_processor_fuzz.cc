// The input is a connection to a compute node. See connection.h.
#include <algorithm>
#include <memory>

#include <spdlog/spdlog.h>

#include "compute_node/adapter/node_handler.h"
#include "compute_node/worker/worker.h"
#include "faults/fault_injector.h"
#include "fuzz/connection.h"
#include "fuzz/target.h"

namespace gradmill::node {
namespace {

void check_input(std::string_view input) {
  static std::unique_ptr<Worker> worker;
  static std::unique_ptr<faults::FaultInjector> injector;
  static const auto handlers = make_node_handlers([] { return NodeParts{*worker, &*injector}; });
  if (worker == nullptr) {
    spdlog::set_level(spdlog::level::off);
    const WorkerOptions options{.load_delay = std::chrono::milliseconds(1),
                                .cache_bytes = 1 << 20,
                                .model_cache_bytes = 1 << 20};
    injector = std::make_unique<faults::FaultInjector>(1, "fuzz");
    worker = std::make_unique<Worker>(options, LoadSimulation(0, 1, "fuzz"));
  }
  const std::vector<fuzz::Answer> answers = fuzz::serve(*handlers, input);
  // All others make themselves known, or leave something behind.
  const bool is_as_before = std::all_of(answers.begin(), answers.end(), [](const auto& answer) {
    return !answer.is_success || answer.method == "hello";
  });
  if (!is_as_before) {
    worker.reset();
  }
}

}  // namespace
}  // namespace gradmill::node

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradmill::node::check_input(gradmill::fuzz::text_of(data, size));
  return 0;
}
