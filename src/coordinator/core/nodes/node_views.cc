// What others may know of the nodes: the policies, the scheduler and people.
#include <algorithm>
#include <cmath>

#include "coordinator/core/nodes/node_registry.h"

namespace gradmill::coordinator {
namespace {

// How fast the speed of an idle node is forgotten: two of its tasks, so that a node that was slow
// once does not stay idle for hundreds of short rounds; but at most this.
constexpr double kSpeedHalfLifeMax = 2;
constexpr double kSpeedHalfLifeTasks = 2;

std::string state_in_words(const Node& node, std::uint64_t refused) {
  if (node.state != NodeState::kAlive) {
    return node.trouble;
  }
  std::string words;
  if (refused > 0) {
    words = "refused " + std::to_string(refused) + (refused == 1 ? " offer" : " offers") +
            " (simulated load)";
  }
  if (!node.last_fault.empty()) {
    words += (words.empty() ? "" : ", ") + node.last_fault;
  } else if (node.busy_in_a_row > 0) {
    words += std::string(words.empty() ? "" : ", ") + "had no room";
  }
  return words.empty() ? "took no task" : words;
}

}  // namespace

NodeStatus NodeRegistry::status(NodeId id, TimePoint now) const {
  using std::chrono::milliseconds;
  const Node& node = nodes_.at(id);
  NodeStatus status;
  status.address = node.address;
  status.state = node.state;
  status.source = node.source;
  status.trouble = node.state == NodeState::kAlive ? (node.aside_until > now ? node.last_fault : "")
                                                   : node.trouble;
  status.incarnation = node.hello.incarnation;
  status.slots = node.slots;
  status.running = static_cast<std::uint32_t>(node.offers.size());
  if (node.heard_at) {
    status.heard_ago = std::chrono::duration_cast<milliseconds>(now - *node.heard_at);
  }
  status.uptime = node.uptime;
  status.tasks = node.tally.tasks;
  status.refused = node.tally.refused;
  status.failed = node.tally.failed;
  status.copies = node.copies;
  status.heartbeats_missed = node.heartbeats_missed;
  status.false_suspicions = node.false_suspicions;
  if (node.measured_at != TimePoint{}) {
    status.answered_ago = std::chrono::duration_cast<milliseconds>(now - node.measured_at);
  }
  return status;
}

bool NodeRegistry::usable(NodeId id, TimePoint now) const {
  return nodes_.at(id).state == NodeState::kAlive && usable_from(id) <= now;
}

TimePoint NodeRegistry::usable_from(NodeId id) const {
  return std::max(nodes_.at(id).aside_until, nodes_.at(id).busy_until);
}

std::optional<TimePoint> NodeRegistry::next_usable(TimePoint now) const {
  std::optional<TimePoint> next;
  for (NodeId id = 0; all_usable_from_ > now && id < nodes_.size(); ++id) {
    const TimePoint from = usable_from(id);
    if (nodes_[id].state == NodeState::kAlive && from > now) {
      next = next ? std::min(*next, from) : from;
    }
  }
  return next;
}

double NodeRegistry::shown_seconds_per_row(const Node& node, TimePoint now) const {
  // An old observation fades, so that a node that was slow once is tried again.
  const double half_life = std::min(kSpeedHalfLifeMax, kSpeedHalfLifeTasks * node.seconds_per_task);
  if (node.in_flight > 0 || half_life == 0) {
    return node.seconds_per_row;
  }
  const double age = std::chrono::duration<double>(now - node.measured_at).count() / half_life;
  return node.seconds_per_row * std::exp2(-age);
}

NodeView NodeRegistry::view(NodeId id, TimePoint now) const {
  const Node& node = nodes_.at(id);
  return {.id = id,
          .in_flight = node.in_flight,
          .slots = node.open_slots(),
          .seconds_per_row = shown_seconds_per_row(node, now),
          .refusal_share = node.refusal_share};
}

const std::vector<NodeView>& NodeRegistry::views(const std::set<NodeId>& refused,
                                                 const std::vector<NodeId>& failed,
                                                 TimePoint now,
                                                 const std::set<NodeId>* only) const {
  views_.clear();
  double least = 0;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.reachable() && node.seconds_per_row > 0) {
      least = least == 0 ? node.seconds_per_row : std::min(least, node.seconds_per_row);
    }
    const bool is_open = only == nullptr || only->contains(id);
    if (is_open && usable(id, now) && !node.drained && (refused.empty() || !refused.contains(id))) {
      views_.push_back(view(id, now));
    }
  }
  for (NodeView& view : views_) {
    // What fades would say nothing of two nodes that were idle for long.
    view.seconds_per_row =
        std::max(view.seconds_per_row, std::min(least, nodes_[view.id].seconds_per_row));
  }
  const auto has_failed = [&](const NodeView& view) {
    return std::find(failed.begin(), failed.end(), view.id) != failed.end();
  };
  if (!failed.empty() && !std::all_of(views_.begin(), views_.end(), has_failed)) {
    std::erase_if(views_, has_failed);
  }
  return views_;
}

std::set<NodeId> NodeRegistry::alive() const {
  std::set<NodeId> ids;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].reachable()) {
      ids.insert(ids.end(), id);
    }
  }
  return ids;
}

bool NodeRegistry::owes(const std::string& job) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    const auto first = node.offers.lower_bound(TaskId{.job = job});
    return first != node.offers.end() && first->job == job;
  });
}

std::string NodeRegistry::debtors_in_words(const std::string& job) const {
  std::string words;
  for (const Node& node : nodes_) {
    const auto first = node.offers.lower_bound(TaskId{.job = job});
    if (first != node.offers.end() && first->job == job) {
      words += (words.empty() ? "" : ", ") + node.address.text();
    }
  }
  return words;
}

std::string NodeRegistry::in_words(const std::map<NodeId, NodeTally>& tallies) const {
  std::string words;
  for (const auto& [address, id] : members_) {
    const auto tally = tallies.find(id);
    words += (words.empty() ? "" : "; ") + address.text() + " " +
             state_in_words(nodes_[id], tally == tallies.end() ? 0 : tally->second.refused);
  }
  return words.empty() ? "there are no nodes" : words;
}

}  // namespace gradmill::coordinator
