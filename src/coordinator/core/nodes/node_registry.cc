#include "coordinator/core/nodes/node_registry.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

constexpr double kAverageWeight = 0.3;  // of the newest observation in the moving averages
constexpr std::chrono::milliseconds kAsideFirst{100};
constexpr std::chrono::seconds kAsideMax{5};
// A node with offers that are not answered is not forgotten yet.
constexpr std::chrono::seconds kForgetRetry{1};

double moved(double average, double newest) {
  return average == 0 ? newest : average + kAverageWeight * (newest - average);
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
  node.removed_incarnation = node.hello.incarnation;
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

void NodeRegistry::finished(NodeId id, Duration taken, double work, TimePoint now) {
  const double seconds = std::chrono::duration<double>(taken).count();
  Node& node = nodes_.at(id);
  ++node.tally.tasks;
  node.faults_in_a_row = 0;
  node.busy_in_a_row = 0;
  node.last_fault.clear();
  node.refusal_share -= kAverageWeight * node.refusal_share;
  node.seconds_per_row = moved(node.seconds_per_row, seconds / work);
  node.seconds_per_task = moved(node.seconds_per_task, seconds);
  node.measured_at = now;
}

void NodeRegistry::refresh(NodeId id) {
  Node& node = nodes_[id];
  node.in_flight = static_cast<std::uint32_t>(node.queued + node.offers.size());
  if (node.queued > 0 && node.offers.size() < node.open_slots()) {
    ready_.insert(id);
  } else {
    ready_.erase(id);
  }
  const bool is_free =
      node.state == NodeState::kAlive && !node.drained && node.in_flight < node.open_slots();
  if (is_free != free_[id]) {
    free_[id] = is_free;
    nodes_free_ += is_free ? 1 : std::size_t(-1);
  }
}

void NodeRegistry::enqueue(NodeId id, const TaskKey& task) {
  Node& node = nodes_.at(id);
  node.queues[task.job].push_back(task.shard);
  ++node.queued;
  refresh(id);
}

void NodeRegistry::withdraw(NodeId id, const TaskKey& task) {
  Node& node = nodes_.at(id);
  std::deque<std::uint32_t>& queue = node.queues.at(task.job);
  if (node.reserved == task.job && node.offers.empty() && queue.front() == task.shard) {
    node.reserved.reset();
  }
  const std::size_t erased = std::erase(queue, task.shard);
  GRADMILL_CHECK(erased == 1);
  --node.queued;
  if (queue.empty()) {
    node.queues.erase(task.job);
  }
  refresh(id);
}

std::optional<NodeId> NodeRegistry::ready() const {
  return ready_.empty() ? std::nullopt : std::optional(*ready_.begin());
}

std::optional<std::uint32_t> NodeRegistry::dequeue(NodeId id, JobNumber job) {
  Node& node = nodes_.at(id);
  const auto queue = node.queues.find(job);
  if (queue == node.queues.end() || node.offers.size() >= node.open_slots()) {
    return std::nullopt;
  }
  const std::uint32_t shard = queue->second.front();
  queue->second.pop_front();
  --node.queued;
  if (queue->second.empty()) {
    node.queues.erase(queue);
  }
  refresh(id);
  return shard;
}

std::vector<TaskKey> NodeRegistry::take_queue(NodeId id) {
  Node& node = nodes_.at(id);
  std::vector<TaskKey> tasks;
  tasks.reserve(node.queued);
  for (const auto& [job, queue] : std::exchange(node.queues, {})) {
    for (const std::uint32_t shard : queue) {
      tasks.push_back({job, shard});
    }
  }
  node.queued = 0;
  if (node.offers.empty()) {
    node.reserved.reset();
  }
  refresh(id);
  return tasks;
}

void NodeRegistry::drop_queued(JobNumber job) {
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    Node& node = nodes_[id];
    const auto queue = node.queues.find(job);
    if (queue == node.queues.end()) {
      continue;
    }
    node.queued -= queue->second.size();
    node.queues.erase(queue);
    if (node.reserved == job && node.offers.empty()) {
      node.reserved.reset();
    }
    refresh(id);
  }
}

void NodeRegistry::reserve(NodeId id, JobNumber job) {
  GRADMILL_CHECK(nodes_.at(id).in_flight == 0);
  nodes_[id].reserved = job;
  undrain(id);
}

void NodeRegistry::drain(NodeId id, const TaskKey& task) {
  GRADMILL_CHECK(nodes_.at(id).queued == 0);
  nodes_[id].drained = task;
  draining_.insert(id);
  refresh(id);
}

void NodeRegistry::undrain(NodeId id) {
  nodes_.at(id).drained.reset();
  draining_.erase(id);
  refresh(id);
}

void NodeRegistry::offer(NodeId id, const TaskId& task) {
  const bool is_new = nodes_.at(id).offers.insert(task).second;
  GRADMILL_CHECK(is_new);
  refresh(id);
}

void NodeRegistry::answered(NodeId id, const TaskId& task) {
  const bool was_out = nodes_.at(id).offers.erase(task) == 1;
  GRADMILL_CHECK(was_out);
  if (nodes_[id].offers.empty()) {
    nodes_[id].reserved.reset();
  }
  refresh(id);
}

}  // namespace gradmill::coordinator
