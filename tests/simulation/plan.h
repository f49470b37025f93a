// What a history is to be, drawn from its seed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/counts.h"
#include "simulation/node.h"

namespace gradmill::simulation {

struct JobPlan {
  std::string id;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> rows;
  Blob weights;
  JobShare share;
  Divergence divergence;
  std::optional<std::uint32_t> poison;  ///< A shard that ends every process that begins it.
  FaultFree expected;
  Duration submit_at{};
};

struct FaultPlan {
  Duration at{};
  Fault fault = Fault::kNodeCrash;
  CrashPoint point = CrashPoint::kBetweenBatches;  ///< Of a crash of the coordinator.
};

struct CommandPlan {
  Duration at{};
  std::string job;
  JobCommand command = JobCommand::kCancel;
};

/// The batches of a prediction job get another size.
struct ResizePlan {
  Duration at{};
  std::string job;
  std::uint32_t batch_rows = 1;
};

/// Jobs share the nodes in this mode from then on.
struct SwitchPlan {
  Duration at{};
  SchedulingMode mode = SchedulingMode::kLocal;
};

/// A job is deleted once it has ended, and perhaps submitted again.
struct DeletionPlan {
  Duration at{};
  std::string job;
  std::optional<Duration> again;  ///< How long after its deletion.
};

/// All that is decided before a history begins.
struct Plan {
  std::uint64_t seed = 0;
  std::string policy;
  coordinator::SchedulerOptions options;
  std::vector<NodeTraits> nodes;
  std::vector<JobPlan> jobs;
  std::vector<FaultPlan> faults;
  std::vector<CommandPlan> commands;
  std::vector<ResizePlan> resizes;
  std::vector<DeletionPlan> deletions;
  std::vector<SwitchPlan> switches;
  /// Every message and offer meets a fault with this probability, while faults last.
  double storm = 0;
  bool closes_slowly = false;    ///< Steps and validations of rounds take long.
  bool has_broken_node = false;  ///< Results may be wrong, so that none is compared.
};

[[nodiscard]] Plan make_plan(std::uint64_t seed);

}  // namespace gradmill::simulation
