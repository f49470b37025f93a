// The input is a connection to a coordinator that has a finished job and no node. See connection.h.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "coordinator/adapter/coordinator_handler.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/fault_relay.h"
#include "coordinator/service/memory_store.h"
#include "faults/fault_injector.h"
#include "fuzz/connection.h"
#include "fuzz/jobs.h"
#include "fuzz/target.h"

namespace gradmill::coordinator {
namespace {

/// Nobody listens there.
class DeadLink final : public NodeLink {
 public:
  NodeBeat heartbeat(std::span<const std::string> /*live*/) override { refuse(); }
  TaskAnswer run_task(const TaskOffer& /*offer*/,
                      const Enclosure& /*enclosed*/,
                      std::chrono::milliseconds /*wait*/) override {
    refuse();
  }
  TaskAnswer poll_task(const TaskId& /*task*/, std::chrono::milliseconds /*wait*/) override {
    refuse();
  }
  void cancel_task(const TaskId& /*task*/) override { refuse(); }
  void put_blob(const Blob& /*blob*/) override { refuse(); }
  std::optional<RowPredictions> predict(const Digest& /*model*/,
                                        std::span<const RawRows> /*parts*/,
                                        std::chrono::milliseconds /*deadline*/) override {
    refuse();
  }
  void put_model(const Blob& /*file*/) override { refuse(); }
  Blob get_blob(const BlobRef& /*blob*/) override { refuse(); }
  std::optional<FaultState> set_faults(const FaultSettings& /*faults*/) override { refuse(); }
  std::optional<FaultState> faults() override { refuse(); }
  void interrupt() override {}
  [[nodiscard]] LinkBytes bytes() const override { return {}; }

 private:
  [[noreturn]] static void refuse() { throw ConnectionRefused("connection refused"); }
};

/// There are none.
class NoModels final : public ModelSource {
 public:
  std::shared_ptr<const ServedModel> resolve(const std::string& /*reference*/) override {
    throw Error(ErrorCode::kNotFound, "there is no such model");
  }
  Blob file(const BlobRef& /*ref*/) override { return {}; }
};

/// A coordinator with its store.
class World {
 public:
  World() {
    store_.commit(fuzz::finished_job());
    coordinator_.emplace(CoordinatorOptions{},
                         make_policy("round-robin", 1),
                         std::vector<Address>{},
                         make_link,
                         store_,
                         store_.load());
    coordinator_->start();
  }
  [[nodiscard]] CoordinatorParts parts() { return {*coordinator_, relay_, predictor_}; }

 private:
  static std::unique_ptr<NodeLink> make_link(const Address& /*address*/) {
    return std::make_unique<DeadLink>();
  }

  MemoryStore store_;
  std::optional<Coordinator> coordinator_;
  faults::FaultInjector injector_{1, "fuzz"};  // Told what to do, and never asked.
  NoModels models_;
  Predictor predictor_{{}, make_link, models_};
  const FaultRelay relay_{[] { return std::vector<Address>{}; }, make_link, &injector_};
};

/// Whether the coordinator is as before, so that it can go on with the next input.
bool leaves_all_as_it_was(const fuzz::Answer& answer) {
  static constexpr std::array<std::string_view, 11> kReaders = {"hello",
                                                                "followJob",
                                                                "listJobs",
                                                                "getJob",
                                                                "jobLogs",
                                                                "jobPredictions",
                                                                "jobStatistics",
                                                                "modelStatistics",
                                                                "listNodes",
                                                                "listFaults",
                                                                "getBlob"};
  return !answer.is_success ||
         std::find(kReaders.begin(), kReaders.end(), answer.method) != kReaders.end();
}

void check_input(std::string_view input) {
  static std::unique_ptr<World> world;
  static const auto handlers = make_coordinator_handlers([] { return world->parts(); });
  if (world == nullptr) {
    spdlog::set_level(spdlog::level::off);
    world = std::make_unique<World>();
  }
  const std::vector<fuzz::Answer> answers = fuzz::serve(*handlers, input);
  if (!std::all_of(answers.begin(), answers.end(), leaves_all_as_it_was)) {
    world.reset();
  }
}

}  // namespace
}  // namespace gradmill::coordinator

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradmill::coordinator::check_input(gradmill::fuzz::text_of(data, size));
  return 0;
}
