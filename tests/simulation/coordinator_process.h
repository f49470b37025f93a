// One start of the coordinator: the real scheduler, with a simulated service around it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/disk.h"
#include "simulation/heart.h"
#include "simulation/job_monitor.h"
#include "simulation/life.h"
#include "simulation/network.h"
#include "simulation/node_monitor.h"
#include "simulation/offer_monitor.h"
#include "simulation/plan.h"
#include "simulation/prediction_monitor.h"
#include "simulation/round_monitor.h"
#include "simulation/task_call.h"
#include "simulation/writer.h"

namespace gradmill::simulation {

/// What a start of the coordinator finds in the world.
struct Site {
  Surroundings& around;
  Network& network;
  Disk& disk;
  const Plan& plan;
  std::vector<std::unique_ptr<Node>>& nodes;
  RoundMonitor& rounds;
  PredictionMonitor& predictions;
  JobMonitor& jobs;
  std::function<void()> crash;  ///< Ends this start.
};

/// Enacts the scheduler's actions, tells it what follows, keeps its clock, and has everything
/// checked after each event. Nothing of it happens after the end of its life.
class CoordinatorProcess final : private TaskEvents, private HeartEvents {
 public:
  CoordinatorProcess(Site site, std::uint64_t epoch);
  CoordinatorProcess(const CoordinatorProcess&) = delete;
  CoordinatorProcess& operator=(const CoordinatorProcess&) = delete;
  ~CoordinatorProcess() override { life_->end(); }

  /// Reads what is durable and begins.
  void boot();
  [[nodiscard]] Life& life() { return *life_; }
  [[nodiscard]] const coordinator::Scheduler& scheduler() const { return scheduler_; }
  /// Whether nobody owes it an answer.
  [[nodiscard]] bool is_quiet() const { return calls_.empty() && !stepping_ && !validating_; }

  void submit(const JobPlan& job);
  void control(const std::string& job, JobCommand command);
  /// Does nothing to a job that is not there or has ended.
  void set_batch_rows(const std::string& job, std::uint32_t batch_rows);
  void set_scheduling(SchedulingMode mode);
  /// Forgets a job, durably first, as the service does. Returns whether it had ended and could be.
  bool remove(const std::string& id);
  void add_node(const Node& node);
  void announce_node(const Node& node);
  void remove_node(const Node& node);

 private:
  using Scheduler = coordinator::Scheduler;
  using NodeId = coordinator::NodeId;

  void taken(const TaskId& task) override;
  void accepted(const TaskId& task) override;
  void ended(NodeId node, const TaskId& task, TaskEnd end) override;
  void heard(NodeId node, const coordinator::NodeBeat& beat) override;
  void missed(NodeId node, const std::string& why) override;
  void gone(NodeId node, const std::string& why, Duration took) override;
  [[nodiscard]] std::vector<std::string> live_jobs() const override {
    return scheduler_.live_jobs();
  }

  /// Lets the scheduler handle an event, named for the log, and enacts what it answers.
  template <class Event>
  void tell(const char* name, const Event& event);
  coordinator::Actions tell_end(NodeId node, const TaskId& task, TaskEnd& end, TimePoint now);
  void enact(coordinator::OfferTask& action);
  void enact(const coordinator::CancelTask& action);
  void enact(coordinator::AdvanceRound& action);
  void enact(coordinator::ValidateRound& action);
  void enact(coordinator::Save& action);
  void enact(const coordinator::WatchNode& action);
  void enact(const coordinator::UnwatchNode& action);
  void enact(const coordinator::JobEnded& action);
  void enact(const coordinator::Note& action);
  void forgotten(const std::string& job);
  void check(TimePoint now);
  /// Of the nodes' books and the mode, what is durable; once all of it is.
  void check_durable();
  void keep_time(TimePoint now);
  void step_next();
  void validate_next();
  void saved(std::uint64_t ticket);
  [[nodiscard]] Node& node_at(NodeId id) { return hearts_.at(id)->node(); }

  Site site_;
  std::uint64_t epoch_;
  std::shared_ptr<Life> life_;
  Scheduler scheduler_;
  OfferMonitor offers_;
  NodeMonitor members_;
  Writer writer_;
  TaskCall::Service service_;
  std::map<NodeId, std::shared_ptr<Heart>> hearts_;
  std::map<TaskId, std::shared_ptr<TaskCall>> calls_;
  std::deque<coordinator::AdvanceRound> to_step_;
  std::deque<coordinator::ValidateRound> to_validate_;
  bool stepping_ = false;
  bool validating_ = false;
  std::optional<TimePoint> wakeup_;
  std::map<std::uint64_t, std::string> submissions_;  // by ticket
};

}  // namespace gradmill::simulation
