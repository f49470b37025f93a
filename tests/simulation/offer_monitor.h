// Safety of offers: who gets which, and which results count.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/counts.h"

namespace gradmill::simulation {

/// Keeps books of its own on the offers of one start of the coordinator. Invariants:
/// offer_unique, two_offers_at_most, slots, cancel_once, counted_once, lease_voided, task_lost.
class OfferMonitor {
 public:
  explicit OfferMonitor(Counts& counts) : counts_(counts) {}

  void offered(const coordinator::OfferTask& offer, const coordinator::Node& node);
  void cancelled(const coordinator::CancelTask& cancel);
  /// The core is about to be told how the offer ended.
  void ended(const TaskId& task, bool with_result);
  /// The node's process is another one, or the node has failed: what it had is void after the
  /// event.
  void voids(coordinator::NodeId node, const std::string& incarnation);
  /// The job is forgotten: another one may have its id.
  void forgotten(const std::string& job);
  void after_event(const coordinator::Scheduler& scheduler) const;

 private:
  struct Offer {
    coordinator::NodeId node = 0;
    std::string incarnation;
    bool wanted = true;
  };
  using Content = std::tuple<std::string, std::uint32_t, std::uint32_t>;
  [[nodiscard]] static Content content_of(const TaskId& task) {
    return {task.job, task.round, task.shard};
  }
  void unwant(const TaskId& task, Offer& offer);
  void check_counts(const coordinator::Scheduler& scheduler) const;
  void check_tasks(const coordinator::Scheduler& scheduler) const;

  Counts& counts_;
  std::map<TaskId, Offer> offers_;  // not answered
  std::set<TaskId> seen_;
  std::map<Content, std::set<TaskId>> wanted_;
  std::map<std::string, std::uint64_t> counted_;  // by job: results that must count
};

}  // namespace gradmill::simulation
