// Safety of rounds: what is averaged, what becomes durable, and what a job returns.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/counts.h"
#include "simulation/plan.h"

namespace gradmill::simulation {

/// Follows the weights of all jobs through all starts of the coordinator. Invariants: rows_add_up,
/// delta_in_place, weights_known, checkpoint_complete, error_of_weights, exact_flag, final_hash,
/// justified_end.
class RoundMonitor {
 public:
  RoundMonitor(const Plan& plan, Counts& counts);

  /// The server is about to make this step.
  void advances(const coordinator::AdvanceRound& round);
  /// It made it, and the core is about to be told.
  void advanced(const coordinator::AdvanceRound& round, const coordinator::RoundStep& step);
  void saves(const coordinator::RoundFinished& record) const;
  void ends(const coordinator::Job& job, const coordinator::JobEnded& ended);

  [[nodiscard]] const JobPlan& plan_of(const std::string& job) const;

 private:
  struct Step {
    std::vector<std::uint32_t> missing;
    std::vector<double> server;  ///< Its memory after the step.
    bool exact = true;           ///< No round so far went without a shard.
  };
  using Place = std::tuple<std::string, std::uint32_t, Digest>;  // job, round, weights after it

  [[nodiscard]] const Step& step_of(const std::string& job,
                                    std::uint32_t round,
                                    const Digest& weights) const;
  [[nodiscard]] std::vector<std::uint32_t> shards_in(const coordinator::AdvanceRound& round) const;
  void check_expected(const JobPlan& job, std::uint32_t round, const Digest& weights) const;
  void check_success(const coordinator::Job& job, const Digest& weights);

  const Plan& plan_;
  Counts& counts_;
  std::map<Place, Step> steps_;
};

}  // namespace gradmill::simulation
