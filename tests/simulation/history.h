// One history, from a seed to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "simulation/coordinator_process.h"
#include "simulation/counts.h"
#include "simulation/disk.h"
#include "simulation/job_monitor.h"
#include "simulation/network.h"
#include "simulation/plan.h"
#include "simulation/prediction_monitor.h"
#include "simulation/round_monitor.h"

namespace gradmill::simulation {

/// A cluster, its jobs, and everything that goes wrong; then nothing more goes wrong, and every job
/// must end. Throws Violation. Single-threaded, and the same for the same seed.
class History {
 public:
  History(std::uint64_t seed, bool logging);
  void run();
  [[nodiscard]] const Counts& counts() const { return around_.counts; }

 private:
  void plan_events();
  void start_coordinator();
  void crash_coordinator();
  void strike(const FaultPlan& fault);
  void strike_node(Fault fault, Node& node);
  /// Again and again until the job has ended and nobody works for it any more.
  void try_deletion(const DeletionPlan& deletion);
  void restart_later(Node& node);
  void announce(Node& node);
  void strike_coordinator(Fault fault);
  void heal();
  void check_liveness();
  /// Whether all jobs have ended, and nobody works any more.
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool has_ended(const JobPlan& job) const;
  [[nodiscard]] Node& random_node() { return *nodes_[around_.dice.below(nodes_.size())]; }

  Plan plan_;
  Surroundings around_;
  Network network_;
  Disk disk_;
  RoundMonitor rounds_;
  PredictionMonitor predictions_;
  JobMonitor jobs_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<const JobPlan*> submitted_;
  std::unique_ptr<CoordinatorProcess> coordinator_;
  std::uint64_t epoch_ = 0;
  std::size_t deletions_to_come_ = 0;
  bool crashing_ = false;
  bool healed_ = false;
};

}  // namespace gradmill::simulation
