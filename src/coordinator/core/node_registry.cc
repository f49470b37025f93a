#include "coordinator/core/node_registry.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

constexpr double kAverageWeight = 0.3;  // of the newest observation in the moving averages
// How fast the speed of an idle node is forgotten: two of its tasks, so that a node that was slow
// once does not stay idle for hundreds of short rounds; but at most this.
constexpr double kSpeedHalfLifeMax = 2;
constexpr double kSpeedHalfLifeTasks = 2;
constexpr std::chrono::milliseconds kAsideFirst{100};
constexpr std::chrono::seconds kAsideMax{5};

double moved(double average, double newest) {
  return average == 0 ? newest : average + kAverageWeight * (newest - average);
}

std::string state_in_words(const Node& node, std::uint64_t refused) {
  if (!node.alive) {
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

NodeId NodeRegistry::add(const Address& address) {
  nodes_.emplace_back().address = address;
  return static_cast<NodeId>(nodes_.size() - 1);
}

bool NodeRegistry::usable(NodeId id, TimePoint now) const {
  return nodes_.at(id).alive && usable_from(id) <= now;
}

TimePoint NodeRegistry::usable_from(NodeId id) const {
  return std::max(nodes_.at(id).aside_until, nodes_.at(id).busy_until);
}

NodeView NodeRegistry::view(NodeId id, TimePoint now) const {
  const Node& node = nodes_.at(id);
  // An old observation fades, so that a node that was slow once is tried again.
  const double half_life = std::min(kSpeedHalfLifeMax, kSpeedHalfLifeTasks * node.seconds_per_task);
  const double age =
      half_life > 0 ? std::chrono::duration<double>(now - node.measured_at).count() / half_life : 0;
  const std::size_t in_flight = node.queue.size() + node.offers.size();
  return {.id = id,
          .in_flight = static_cast<std::uint32_t>(in_flight),
          .slots = node.hello.slots,
          .seconds_per_row =
              in_flight == 0 ? node.seconds_per_row * std::exp2(-age) : node.seconds_per_row,
          .refusal_share = node.refusal_share};
}

std::vector<NodeView> NodeRegistry::views(const std::set<NodeId>& refused,
                                          const std::vector<NodeId>& failed,
                                          TimePoint now) const {
  std::vector<NodeView> untried;
  std::vector<NodeView> all;
  const double least = least_seconds_per_row();
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (!usable(id, now) || refused.contains(id)) {
      continue;
    }
    all.push_back(view(id, now));
    // What fades would say nothing of two nodes that were idle for long.
    all.back().seconds_per_row =
        std::max(all.back().seconds_per_row, std::min(least, nodes_[id].seconds_per_row));
    if (std::find(failed.begin(), failed.end(), id) == failed.end()) {
      untried.push_back(all.back());
    }
  }
  return untried.empty() ? all : untried;
}

double NodeRegistry::least_seconds_per_row() const {
  double least = 0;
  for (const Node& node : nodes_) {
    if (node.alive && node.seconds_per_row > 0) {
      least = least == 0 ? node.seconds_per_row : std::min(least, node.seconds_per_row);
    }
  }
  return least;
}

std::set<NodeId> NodeRegistry::alive() const {
  std::set<NodeId> ids;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].alive) {
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

std::string NodeRegistry::in_words(const std::map<NodeId, NodeTally>& tallies) const {
  std::string words;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const auto tally = tallies.find(id);
    words += (id == 0 ? "" : "; ") + nodes_[id].address.text() + " " +
             state_in_words(nodes_[id], tally == tallies.end() ? 0 : tally->second.refused);
  }
  return words.empty() ? "there are no nodes" : words;
}

void NodeRegistry::up(NodeId id, const NodeHello& hello) {
  Node& node = nodes_.at(id);
  if (node.hello.incarnation != hello.incarnation) {
    node.busy_until = {};
  }
  node.hello = hello;
  node.hello.slots = std::max(1U, hello.slots);
  node.alive = hello.kernel_id == ml::kernel_id();
  node.trouble = node.alive ? ""
                            : "its kernel '" + hello.kernel_id + "' may give other bits than '" +
                                  ml::kernel_id() + "'";
}

void NodeRegistry::down(NodeId id, const std::string& why) {
  Node& node = nodes_.at(id);
  node.alive = false;
  node.trouble = why;
}

void NodeRegistry::fault(NodeId id, const std::string& why, TimePoint now) {
  Node& node = nodes_.at(id);
  node.last_fault = why;
  if (node.aside_until > now) {
    return;
  }
  const auto doublings = std::min(node.faults_in_a_row, 10U);
  const Duration pause = std::min<Duration>(kAsideMax, kAsideFirst * (1U << doublings));
  node.faults_in_a_row = doublings + 1;
  node.aside_until = now + pause;
}

void NodeRegistry::busy(NodeId id, TimePoint until) {
  Node& node = nodes_.at(id);
  ++node.busy_in_a_row;
  node.busy_until = std::max(node.busy_until, until);
}

void NodeRegistry::refused(NodeId id) {
  Node& node = nodes_.at(id);
  node.refusal_share += kAverageWeight * (1 - node.refusal_share);
}

void NodeRegistry::accepted(NodeId id) { nodes_.at(id).busy_in_a_row = 0; }

void NodeRegistry::finished(NodeId id, Duration taken, std::uint64_t rows, TimePoint now) {
  const double seconds = std::chrono::duration<double>(taken).count();
  Node& node = nodes_.at(id);
  node.faults_in_a_row = 0;
  node.busy_in_a_row = 0;
  node.last_fault.clear();
  node.refusal_share -= kAverageWeight * node.refusal_share;
  node.seconds_per_row = moved(node.seconds_per_row, seconds / static_cast<double>(rows));
  node.seconds_per_task = moved(node.seconds_per_task, seconds);
  node.measured_at = now;
}

void NodeRegistry::enqueue(NodeId id, std::uint32_t shard) { nodes_.at(id).queue.push_back(shard); }

std::optional<std::uint32_t> NodeRegistry::dequeue(NodeId id) {
  Node& node = nodes_.at(id);
  if (node.queue.empty() || node.offers.size() >= node.hello.slots) {
    return std::nullopt;
  }
  const std::uint32_t shard = node.queue.front();
  node.queue.pop_front();
  return shard;
}

std::deque<std::uint32_t> NodeRegistry::take_queue(NodeId id) {
  return std::exchange(nodes_.at(id).queue, {});
}

void NodeRegistry::offer(NodeId id, const TaskId& task) {
  const bool is_new = nodes_.at(id).offers.insert(task).second;
  GRADMILL_CHECK(is_new);
}

void NodeRegistry::answered(NodeId id, const TaskId& task) {
  const bool was_out = nodes_.at(id).offers.erase(task) == 1;
  GRADMILL_CHECK(was_out);
}

}  // namespace gradmill::coordinator
