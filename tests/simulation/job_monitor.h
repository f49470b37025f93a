// Safety of what users are told: versions rise, and what was said stays true over a crash.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/disk.h"
#include "simulation/plan.h"

namespace gradmill::simulation {

/// Follows what a client can see of each job. Invariants: version_rises, told_is_durable,
/// justified_end, poison_named.
class JobMonitor {
 public:
  explicit JobMonitor(const Plan& plan) : capacity_timeout_(plan.options.capacity_timeout) {}

  /// A new start of the coordinator has read what is durable.
  void restarted(const Disk& disk);
  /// A client was told that its job is submitted.
  void submitted(const std::string& job) { told_[job].submitted = true; }
  void commanded(const std::string& job, JobCommand command);
  void removed(const std::string& job);
  /// A client submits a job that was deleted.
  void submitted_again(const std::string& job) { ended_.erase(job); }
  /// A task of the job failed.
  void failed(const TaskId& task) { ++failures_[task.job]; }
  void ends(const coordinator::Job& job, const JobPlan& plan);
  void after_event(const coordinator::Scheduler& scheduler);
  /// Whether a client knows that the job has ended.
  [[nodiscard]] bool has_ended(const std::string& job) const { return ended_.contains(job); }

 private:
  void check_poison(const coordinator::Job& job, const JobPlan& plan) const;
  using View = std::
      tuple<JobState, std::size_t, std::uint32_t, std::size_t, std::size_t, bool, std::uint64_t>;
  struct Seen {
    std::uint64_t version = 0;
    View view;
  };
  /// What a client was told, and may rely on.
  struct Told {
    bool submitted = false;
    bool pause_asked = false;
    bool resume_asked = false;
    std::size_t rounds = 0;
    std::uint64_t rows = 0;  ///< Of prediction jobs.
    JobState state = JobState::kPending;
  };
  [[nodiscard]] static View view_of(const coordinator::Scheduler& scheduler,
                                    const coordinator::Job& job);

  Duration capacity_timeout_;
  std::map<std::string, Seen> seen_;  // since the start
  std::map<std::string, Told> told_;
  std::set<std::string> ended_;
  std::map<std::string, unsigned> failures_;
};

}  // namespace gradmill::simulation
