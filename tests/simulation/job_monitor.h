// Safety of what users are told: versions rise, and what was said stays true over a crash.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "coordinator/core/scheduler.h"
#include "simulation/disk.h"

namespace gradmill::simulation {

/// Follows what a client can see of each job. Invariants: version_rises, told_is_durable,
/// justified_end.
class JobMonitor {
 public:
  /// A new start of the coordinator has read what is durable.
  void restarted(const Disk& disk);
  /// A client was told that its job is submitted.
  void submitted(const std::string& job) { told_[job].submitted = true; }
  void commanded(const std::string& job, JobCommand command);
  void removed(const std::string& job) { told_.erase(job); }
  /// A task of the job failed, or was lost after a node had begun it; or one was taken.
  void failed(const TaskId& task) { ++failures_[task.job]; }
  void lost(const TaskId& task) { ++losses_[task.job]; }
  void ends(const coordinator::Job& job, bool may_diverge);
  void after_event(const coordinator::Scheduler& scheduler);
  /// Whether a client knows that the job has ended.
  [[nodiscard]] bool has_ended(const std::string& job) const { return ended_.contains(job); }

 private:
  using View = std::tuple<JobState, std::size_t, std::uint32_t, std::size_t, std::size_t, bool>;
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
    JobState state = JobState::kPending;
  };
  [[nodiscard]] static View view_of(const coordinator::Scheduler& scheduler,
                                    const coordinator::Job& job);

  std::map<std::string, Seen> seen_;  // since the start
  std::map<std::string, Told> told_;
  std::set<std::string> ended_;
  std::map<std::string, unsigned> failures_;
  std::map<std::string, unsigned> losses_;
};

}  // namespace gradmill::simulation
