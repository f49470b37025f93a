#include "simulation/node_monitor.h"

#include "ml/kernel/kernels.h"
#include "simulation/violation.h"

namespace gradmill::simulation {

using coordinator::NodeId;

void NodeMonitor::heard(NodeId node, const coordinator::NodeBeat& beat, TimePoint now) {
  Book& book = nodes_[node];
  book.heard_at = now;
  book.incarnation = beat.hello.incarnation;
  book.leaving = beat.leaving;
  book.fits = beat.hello.kernel_id == ml::kernel_id();
}

void NodeMonitor::gone(NodeId node) { nodes_[node].heard_at.reset(); }

void NodeMonitor::readmitted(NodeId node) {
  Book& book = nodes_[node];
  book.removed = false;
  book.leaving = true;  // It may finish what it has; for the rest it has to be heard of first.
}

void NodeMonitor::offered(NodeId node, TimePoint now) const {
  const auto found = nodes_.find(node);
  std::string why;
  if (found == nodes_.end() || !found->second.heard_at) {
    why = "has failed";
  } else if (found->second.leaving || found->second.removed) {
    why = "has left";
  } else if (!found->second.fits) {
    why = "has another kernel";
  } else if (now - *found->second.heard_at >= detection_.suspect_after) {
    why = "is silent";
  }
  if (!why.empty()) {
    throw Violation("live_node", "node " + std::to_string(node) + " gets a task, and " + why);
  }
}

void NodeMonitor::after_event(OfferMonitor& offers, TimePoint now) const {
  for (const auto& [node, book] : nodes_) {
    // Those that left finish what they have.
    const bool silent = book.heard_at && now - *book.heard_at >= detection_.failed_after;
    const bool left = book.leaving || book.removed;
    const bool failed = !book.heard_at || (silent && !left) || (!book.fits && !left);
    offers.voids(node, failed ? std::string() : book.incarnation);
  }
}

}  // namespace gradmill::simulation
