#include "simulation/node_monitor.h"

#include "ml/kernel/kernels.h"

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
  } else if (found->second.forgotten) {
    why = "is forgotten";
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

void NodeMonitor::check_heard(const coordinator::Node& node) {
  if (node.forgotten && node.state != NodeState::kLeft) {
    throw Violation("live_node", node.address.text() + " is forgotten, and has come back");
  }
}

void NodeMonitor::check_members(const coordinator::NodeRegistry& known,
                                const std::vector<coordinator::StoredNode>& stored) {
  std::set<NodeId> found;
  for (const coordinator::StoredNode& one : stored) {
    const std::optional<NodeId> id = known.find(one.address);
    const bool agrees = id && known.at(*id).removed == one.taken_out &&
                        (!one.taken_out || known.at(*id).removed_incarnation == one.incarnation);
    if (!agrees) {
      throw Violation("members_durable", one.address.text() + " is durable in another way");
    }
    found.insert(*id);
  }
  for (NodeId id = 0; id < known.size(); ++id) {
    const coordinator::Node& node = known.at(id);
    const bool is_in_list = node.source == NodeSource::kListed && !node.removed;
    if (!node.forgotten && !is_in_list && !found.contains(id)) {
      throw Violation("members_durable", node.address.text() + " is not durable");
    }
  }
}

void NodeMonitor::check_poison(const coordinator::Job& job,
                               const JobPlan& plan,
                               const std::vector<std::unique_ptr<Node>>& nodes) {
  std::ptrdiff_t deaths = 0;
  int died = 0;
  for (const auto& node : nodes) {
    const std::ptrdiff_t of_node = plan.poison ? node->deaths(job.id, *plan.poison) : 0;
    deaths += of_node;
    died += of_node > 0 ? 1 : 0;
  }
  if (job.end.reason == "poison_shard" && (deaths < 4 || died < 2)) {
    throw Violation("real_deaths",
                    job.id + " failed for " + std::to_string(deaths) + " deaths on " +
                        std::to_string(died) + " nodes: " + job.end.message);
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
