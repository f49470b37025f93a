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
// A node with offers that are not answered is not forgotten yet.
constexpr std::chrono::seconds kForgetRetry{1};

double moved(double average, double newest) {
  return average == 0 ? newest : average + kAverageWeight * (newest - average);
}

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

/// `from` + `wait`; nothing if the wait is for ever.
std::optional<TimePoint> after(TimePoint from, Duration wait) {
  return wait == Duration::max() ? std::nullopt : std::optional(from + wait);
}

}  // namespace

NodeId NodeRegistry::add(const Address& address, NodeSource source, TimePoint now) {
  const auto id = static_cast<NodeId>(nodes_.size());
  Node& node = nodes_.emplace_back();
  node.address = address;
  node.source = source;
  node.member_since = now;
  if (const auto due = after(now, detection_.forget_after); due && source != NodeSource::kListed) {
    expect_judgement(*due);
  }
  free_.push_back(false);
  const bool is_new = members_.try_emplace(address, id).second;
  GRADMILL_CHECK(is_new);
  return id;
}

std::optional<NodeId> NodeRegistry::find(const Address& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? std::nullopt : std::optional(found->second);
}

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
          .slots = node.slots,
          .seconds_per_row = shown_seconds_per_row(node, now),
          .refusal_share = node.refusal_share};
}

const std::vector<NodeView>& NodeRegistry::views(const std::set<NodeId>& refused,
                                                 const std::vector<NodeId>& failed,
                                                 TimePoint now) const {
  views_.clear();
  double least = 0;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.reachable() && node.seconds_per_row > 0) {
      least = least == 0 ? node.seconds_per_row : std::min(least, node.seconds_per_row);
    }
    if (usable(id, now) && (refused.empty() || !refused.contains(id))) {
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

void NodeRegistry::up(NodeId id, const NodeBeat& beat, TimePoint now) {
  Node& node = nodes_.at(id);
  const bool same = node.hello.incarnation == beat.hello.incarnation;
  const bool was_doubted = node.state == NodeState::kSuspect || node.state == NodeState::kFailed;
  if (same && was_doubted && node.heard_at && node.hello.kernel_id == ml::kernel_id()) {
    ++node.false_suspicions;
  }
  if (!same) {
    node.busy_until = {};
  }
  node.hello = beat.hello;
  node.slots = std::max(1U, beat.hello.slots);
  node.uptime = beat.uptime;
  node.heard_at = now;
  node.missed_since_heard = false;
  node.missed_in_advance = false;
  if (node.removed) {
    node.state = NodeState::kLeft;
  } else if (beat.leaving) {
    node.state = NodeState::kLeft;
    node.trouble = "is leaving";
  } else if (beat.hello.kernel_id != ml::kernel_id()) {
    node.state = NodeState::kFailed;
    node.trouble = "its kernel '" + beat.hello.kernel_id + "' may give other bits than '" +
                   ml::kernel_id() + "'";
  } else {
    node.state = NodeState::kAlive;
    node.trouble.clear();
  }
  if (const auto due = after(now, std::min(detection_.suspect_after, detection_.failed_after))) {
    expect_judgement(*due);
  }
  refresh(id);
}

void NodeRegistry::count_missed(Node& node) {
  node.missed_since_heard = true;
  if (!std::exchange(node.missed_in_advance, false)) {
    ++node.heartbeats_missed;
  }
}

void NodeRegistry::down(NodeId id, const std::string& why) {
  Node& node = nodes_.at(id);
  count_missed(node);
  if (node.state == NodeState::kLeft) {
    node.trouble = node.removed ? node.trouble : "has left";
  } else {
    node.state = NodeState::kFailed;
    node.trouble = why;
  }
  if (const auto due = after(node.heard_at.value_or(node.member_since), detection_.forget_after)) {
    expect_judgement(*due);
  }
  refresh(id);
}

void NodeRegistry::missed(NodeId id, const std::string& why) {
  Node& node = nodes_.at(id);
  count_missed(node);
  if (node.state != NodeState::kAlive && node.state != NodeState::kLeft) {
    node.trouble = why;
  }
}

void NodeRegistry::excuse_silence(Duration gap, TimePoint now) {
  for (Node& node : nodes_) {
    if (node.heard_at && node.reachable()) {
      node.heard_at = std::min(now, *node.heard_at + gap);
    }
  }
}

std::vector<NodeId> NodeRegistry::judge_silence(TimePoint now, std::vector<NodeId>& forgotten) {
  std::vector<NodeId> failed;
  next_judgement_.reset();
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    Node& node = nodes_[id];
    const auto passed = [&](Duration wait) {
      const std::optional<TimePoint> due = after(node.heard_at.value_or(node.member_since), wait);
      if (due && *due > now) {
        expect_judgement(*due);
      }
      return due && *due <= now;
    };
    if (node.forgotten) {
      continue;
    }
    if (node.reachable()) {
      if (passed(detection_.failed_after)) {
        node.state = NodeState::kFailed;
        node.trouble = "has been silent for too long";
        if (!node.missed_since_heard) {
          count_missed(node);
          node.missed_in_advance = true;
        }
        failed.push_back(id);
      } else if (passed(detection_.suspect_after) && node.state == NodeState::kAlive) {
        node.state = NodeState::kSuspect;
        node.trouble = "is silent";
      }
    }
    const bool gone = node.state == NodeState::kFailed || node.state == NodeState::kLeft;
    const bool is_over =
        gone && node.source != NodeSource::kListed && passed(detection_.forget_after);
    if (is_over && !node.offers.empty()) {
      expect_judgement(now + kForgetRetry);
    } else if (is_over) {
      node.forgotten = true;
      node.state = NodeState::kLeft;
      members_.erase(node.address);
      forgotten.push_back(id);
    }
    refresh(id);
  }
  return failed;
}

void NodeRegistry::expect_judgement(TimePoint at) {
  next_judgement_ = next_judgement_ ? std::min(*next_judgement_, at) : at;
}

void NodeRegistry::remove(NodeId id) {
  Node& node = nodes_.at(id);
  node.removed = true;
  node.state = NodeState::kLeft;
  node.trouble = "was taken out by hand";
  refresh(id);
}

void NodeRegistry::remove(NodeId id, const std::string& incarnation) {
  nodes_.at(id).hello.incarnation = incarnation;
  remove(id);
}

void NodeRegistry::readmit(NodeId id, TimePoint now) {
  Node& node = nodes_.at(id);
  node.removed = false;
  // Until its next heartbeat. What it has begun it may still finish.
  node.state = node.offers.empty() ? NodeState::kFailed : NodeState::kLeft;
  node.trouble = "has not answered yet";
  node.heard_at.reset();
  node.member_since = now;
  refresh(id);
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
  all_usable_from_ = std::max(all_usable_from_, node.aside_until);
}

void NodeRegistry::busy(NodeId id, TimePoint until) {
  Node& node = nodes_.at(id);
  ++node.busy_in_a_row;
  node.busy_until = std::max(node.busy_until, until);
  all_usable_from_ = std::max(all_usable_from_, until);
}

void NodeRegistry::refused(NodeId id) {
  Node& node = nodes_.at(id);
  ++node.tally.refused;
  node.refusal_share += kAverageWeight * (1 - node.refusal_share);
}

void NodeRegistry::accepted(NodeId id) { nodes_.at(id).busy_in_a_row = 0; }

void NodeRegistry::finished(NodeId id, Duration taken, std::uint64_t rows, TimePoint now) {
  const double seconds = std::chrono::duration<double>(taken).count();
  Node& node = nodes_.at(id);
  ++node.tally.tasks;
  node.faults_in_a_row = 0;
  node.busy_in_a_row = 0;
  node.last_fault.clear();
  node.refusal_share -= kAverageWeight * node.refusal_share;
  node.seconds_per_row = moved(node.seconds_per_row, seconds / static_cast<double>(rows));
  node.seconds_per_task = moved(node.seconds_per_task, seconds);
  node.measured_at = now;
}

void NodeRegistry::refresh(NodeId id) {
  Node& node = nodes_[id];
  node.in_flight = static_cast<std::uint32_t>(node.queue.size() + node.offers.size());
  if (!node.queue.empty() && node.offers.size() < node.slots) {
    ready_.insert(id);
  } else {
    ready_.erase(id);
  }
  const bool is_free = node.state == NodeState::kAlive && node.in_flight < node.slots;
  if (is_free != free_[id]) {
    free_[id] = is_free;
    nodes_free_ += is_free ? 1 : std::size_t(-1);
  }
}

void NodeRegistry::enqueue(NodeId id, std::uint32_t shard) {
  nodes_.at(id).queue.push_back(shard);
  refresh(id);
}

std::optional<NodeId> NodeRegistry::ready() const {
  return ready_.empty() ? std::nullopt : std::optional(*ready_.begin());
}

std::optional<std::uint32_t> NodeRegistry::dequeue(NodeId id) {
  Node& node = nodes_.at(id);
  if (node.queue.empty() || node.offers.size() >= node.slots) {
    return std::nullopt;
  }
  const std::uint32_t shard = node.queue.front();
  node.queue.pop_front();
  refresh(id);
  return shard;
}

std::deque<std::uint32_t> NodeRegistry::take_queue(NodeId id) {
  std::deque<std::uint32_t> queue = std::exchange(nodes_.at(id).queue, {});
  refresh(id);
  return queue;
}

void NodeRegistry::offer(NodeId id, const TaskId& task) {
  const bool is_new = nodes_.at(id).offers.insert(task).second;
  GRADMILL_CHECK(is_new);
  refresh(id);
}

void NodeRegistry::answered(NodeId id, const TaskId& task) {
  const bool was_out = nodes_.at(id).offers.erase(task) == 1;
  GRADMILL_CHECK(was_out);
  refresh(id);
}

}  // namespace gradmill::coordinator
