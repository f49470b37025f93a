// How jobs share the slots of the nodes, and keep out of each other's way.
#include <algorithm>

#include "base/check.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

constexpr double kAverageWeight = 0.3;  // of the newest observation in the moving averages
// What a task is thought to cost while none was ever measured.
constexpr double kSecondsGuessed = 0.1;

double moved(double average, double newest) {
  return average == 0 ? newest : average + kAverageWeight * (newest - average);
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Whether other jobs than `job` have all slots of the node, or one of them has it drained.
bool is_held_by_others(const Node& node, const Job& job) {
  const auto is_other = [&](const TaskId& task) { return task.job != job.id; };
  return (node.drained && node.drained->job != job.number) ||
         (node.offers.size() >= node.open_slots() &&
          std::any_of(node.offers.begin(), node.offers.end(), is_other));
}

}  // namespace

TaskCost Scheduler::expected_cost(const Job& job, std::uint32_t shard) const {
  const auto rows = static_cast<double>(job.rows_of(shard));
  if (job.seconds_per_row > 0) {
    return {.seconds = job.seconds_per_row * rows, .rows = rows};
  }
  const double guess = seconds_per_work_ * job.work_per_row * rows;
  return {.seconds = guess > 0 ? guess : kSecondsGuessed, .rows = rows};
}

void Scheduler::end_offer(NodeId node, const TaskId& task, SlotTime slot_time, TimePoint now) {
  nodes_.answered(node, task);
  const auto found = bills_.find(task);
  GRADMILL_CHECK(found != bills_.end());
  const Bill& bill = found->second;
  if (slot_time == SlotTime::kUsed) {
    const double used = seconds(now - bill.offered_at);
    shares_.settle(bill.charge, {used, bill.charge.cost.rows});
    nodes_.worked(node, bill.charge.job, used, now);
  } else {
    shares_.settle(bill.charge, {});
  }
  bills_.erase(found);
}

void Scheduler::measure(Job& job, NodeId node, std::uint32_t shard, Duration taken, TimePoint now) {
  const auto rows = static_cast<double>(job.rows_of(shard));
  const double work = rows * job.work_per_row;
  nodes_.finished(node, taken, work, now);
  job.seconds_per_row = moved(job.seconds_per_row, seconds(taken) / rows);
  seconds_per_work_ = moved(seconds_per_work_, seconds(taken) / work);
}

bool Scheduler::is_crowded_out(const Job& job) const {
  if (!job.round || job.round->complete() || job.round->has_takers()) {
    return false;
  }
  const bool is_confined = !has_displaced(job);
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_.at(id);
    const bool is_wanted = job.round->wants(id) || node.queues.contains(job.number);
    const bool is_taken = is_held_by_others(node, job) || (is_confined && !serves(id, job));
    if (node.state == NodeState::kAlive && is_wanted && is_taken) {
      return true;
    }
  }
  return false;
}

bool Scheduler::waits_alone(const TaskKey& task) const {
  const auto job = jobs_.running().find(task.job);
  return job != jobs_.running().end() && job->second->round &&
         job->second->round->has(task.shard) &&
         job->second->round->task(task.shard).place == Round::Place::kPending &&
         job->second->round->task(task.shard).is_suspect();
}

std::optional<NodeId> Scheduler::drained_for(const TaskKey& task) const {
  const auto found =
      std::find_if(nodes_.draining().begin(), nodes_.draining().end(), [&](NodeId node) {
        return nodes_.at(node).drained == task && nodes_.at(node).in_flight == 0;
      });
  return found == nodes_.draining().end() ? std::nullopt : std::optional(*found);
}

void Scheduler::undrain_needless(TimePoint now) {
  const std::set<NodeId> draining = nodes_.draining();
  for (const NodeId node : draining) {
    const TaskKey task = *nodes_.at(node).drained;
    const bool is_needed =
        waits_alone(task) && nodes_.usable(node, now) &&
        !jobs_.running().at(task.job)->round->closed_to(task.shard).contains(node);
    if (!is_needed) {
      nodes_.undrain(node);
    }
  }
}

bool Scheduler::drain_for_suspects(TimePoint now) {
  bool is_pending_again = false;
  for (const auto& [number, job] : jobs_.running()) {
    const auto has_one = [&, job = number](NodeId node) {
      return nodes_.at(node).drained->job == job;
    };
    if (jobs_.running().size() < 2 || !job->round ||
        std::any_of(nodes_.draining().begin(), nodes_.draining().end(), has_one)) {
      continue;
    }
    for (const std::uint32_t shard : job->round->choosy()) {
      const Round::Task& task = job->round->task(shard);
      if (!task.is_suspect()) {
        continue;
      }
      const std::vector<NodeView>& views =
          nodes_.views(job->round->closed_to(shard), task.failed_on, now);
      const auto least = std::min_element(
          views.begin(), views.end(), [](const NodeView& one, const NodeView& two) {
            return one.in_flight < two.in_flight;
          });
      if (least != views.end() && least->in_flight > 0) {
        const NodeId node = least->id;
        is_pending_again = is_pending_again || nodes_.at(node).queued > 0;
        reclaim_queue(node);
        nodes_.drain(node, {number, shard});
        break;
      }
    }
  }
  return is_pending_again;
}

}  // namespace gradmill::coordinator
