// Safety of membership: no work for nodes that are not well.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "coordinator/core/scheduler.h"
#include "simulation/dice.h"
#include "simulation/offer_monitor.h"

namespace gradmill::simulation {

/// Keeps books of its own on what the core was told of nodes since its start. Invariant: live_node.
class NodeMonitor {
 public:
  explicit NodeMonitor(const coordinator::FailureDetection& detection) : detection_(detection) {}

  void watched(coordinator::NodeId node) { nodes_[node]; }
  void heard(coordinator::NodeId node, const coordinator::NodeBeat& beat, TimePoint now);
  void gone(coordinator::NodeId node);
  void removed(coordinator::NodeId node) { nodes_[node].removed = true; }
  void readmitted(coordinator::NodeId node);

  void offered(coordinator::NodeId node, TimePoint now) const;
  void after_event(OfferMonitor& offers, TimePoint now) const;

 private:
  struct Book {
    std::optional<TimePoint> heard_at;  ///< None also: nobody listens there.
    std::string incarnation;
    bool leaving = false;
    bool removed = false;
    bool fits = true;  ///< Its kernel is ours.
  };
  coordinator::FailureDetection detection_;
  std::map<coordinator::NodeId, Book> nodes_;
};

}  // namespace gradmill::simulation
