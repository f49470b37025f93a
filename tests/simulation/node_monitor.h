// Safety of membership: no work for nodes that are not well.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/dice.h"
#include "simulation/node.h"
#include "simulation/offer_monitor.h"
#include "simulation/plan.h"
#include "simulation/violation.h"

namespace gradmill::simulation {

/// Keeps books of its own on what the core was told of nodes since its start. Invariants:
/// live_node, members_durable, real_deaths.
class NodeMonitor {
 public:
  explicit NodeMonitor(const coordinator::FailureDetection& detection) : detection_(detection) {}

  void watched(coordinator::NodeId node) { nodes_[node]; }
  void heard(coordinator::NodeId node, const coordinator::NodeBeat& beat, TimePoint now);
  void gone(coordinator::NodeId node);
  void forgotten(coordinator::NodeId node) { nodes_[node].forgotten = true; }
  void removed(coordinator::NodeId node) { nodes_[node].removed = true; }
  void readmitted(coordinator::NodeId node);

  void offered(coordinator::NodeId node, TimePoint now) const;
  void after_event(OfferMonitor& offers, TimePoint now) const;
  /// The core has heard the node: one that is forgotten stays so.
  static void check_heard(const coordinator::Node& node);
  /// The core knows what is durable, and nothing else is to become so.
  static void check_members(const coordinator::NodeRegistry& known,
                            const std::vector<coordinator::StoredNode>& stored);
  /// `node` gives a node of the core. What the core takes for deaths of a shard were some.
  template <class NodeOf>
  static void check_deaths(const coordinator::Scheduler& scheduler, const NodeOf& node);
  /// The job has ended. If it failed for its poison, that has ended processes of several nodes.
  static void check_poison(const coordinator::Job& job,
                           const JobPlan& plan,
                           const std::vector<std::unique_ptr<Node>>& nodes);

 private:
  struct Book {
    std::optional<TimePoint> heard_at;  ///< None also: nobody listens there.
    std::string incarnation;
    bool leaving = false;
    bool removed = false;
    bool forgotten = false;
    bool fits = true;  ///< Its kernel is ours.
  };
  coordinator::FailureDetection detection_;
  std::map<coordinator::NodeId, Book> nodes_;
};

template <class NodeOf>
void NodeMonitor::check_deaths(const coordinator::Scheduler& scheduler, const NodeOf& node) {
  const auto check = [&](const coordinator::Job& job, std::uint32_t shard) {
    const std::vector<coordinator::NodeId>& died = job.round->task(shard).died_on;
    for (const coordinator::NodeId one : died) {
      if (std::count(died.begin(), died.end(), one) >
          node(one).deaths(job.round->id(job.id, shard, 0))) {
        throw Violation("real_deaths",
                        "shard " + std::to_string(shard) + " of " + job.id +
                            " is blamed for a death that was none, or not of it");
      }
    }
  };
  for (const std::string& id : scheduler.live_jobs()) {
    const coordinator::Job& job = *scheduler.find(id);
    for (std::uint32_t shard = job.round ? job.round->first() : 0;
         job.round && shard < job.round->size();
         ++shard) {
      check(job, shard);
    }
  }
}

}  // namespace gradmill::simulation
