#include "simulation/share_monitor.h"

#include <algorithm>
#include <map>
#include <string>

#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

using namespace coordinator;

/// Whether nothing has happened to the task that would let it go anywhere.
bool is_untried(const Round::Task& task) {
  return task.failed_on.empty() && task.diverged_on.empty() && task.backoffs == 0 &&
         task.ended_with == 0;
}

bool owns(const Scheduler& scheduler, JobNumber job, NodeId node) {
  const auto own = scheduler.node_shares().find(job);
  return own != scheduler.node_shares().end() && own->second.contains(node);
}

void check_queues(const Scheduler& scheduler) {
  for (NodeId id = 0; id < scheduler.nodes().size(); ++id) {
    for (const auto& [number, queue] : scheduler.nodes().at(id).queues) {
      const Job& job = *scheduler.running().at(number);
      const bool is_foreign = !owns(scheduler, number, id) &&
                              std::any_of(queue.begin(), queue.end(), [&](std::uint32_t shard) {
                                return is_untried(job.round->task(shard));
                              });
      if (is_foreign) {
        throw Violation("taken_back",
                        "a task of " + job.id + " waits at node " + std::to_string(id) +
                            ", which is not its own");
      }
    }
  }
}

}  // namespace

void ShareMonitor::check_offer(const OfferTask& offer, const Scheduler& scheduler) {
  const TaskId& id = offer.offer.id;
  const Job& job = *scheduler.find(id.job);
  if (scheduler.scheduling() == SchedulingMode::kLocal && job.round &&
      job.round->number() == id.round && is_untried(job.round->task(id.shard)) &&
      !owns(scheduler, job.number, offer.node)) {
    throw Violation("own_nodes",
                    "a task of " + id.job + " goes to node " + std::to_string(offer.node) +
                        ", which is not its own");
  }
}

void ShareMonitor::after_event(const Scheduler& scheduler, TimePoint now) {
  if (scheduler.scheduling() == SchedulingMode::kGlobal) {
    return;
  }
  std::map<NodeId, std::size_t> jobs_on;
  for (NodeId id = 0; id < scheduler.nodes().size(); ++id) {
    if (scheduler.nodes().at(id).state == NodeState::kAlive &&
        scheduler.nodes().at(id).aside_until <= now) {
      jobs_on[id] = 0;
    }
  }
  for (const auto& [number, nodes] : scheduler.node_shares()) {
    for (const NodeId node : nodes) {
      if (!jobs_on.contains(node)) {
        throw Violation("own_nodes", "node " + std::to_string(node) + " works for nobody now");
      }
      ++jobs_on[node];
    }
  }
  const std::size_t jobs = scheduler.node_shares().size();
  for (const auto& [number, job] : scheduler.running()) {
    const auto own = scheduler.node_shares().find(number);
    const bool has_none = own == scheduler.node_shares().end() || own->second.empty();
    if (job->round && has_none && !jobs_on.empty()) {
      throw Violation("job_has_node", job->id + " has no node");
    }
  }
  for (const auto& [node, count] : jobs_on) {
    if (jobs > 0 && (count == 0 || (count > 1 && jobs <= jobs_on.size()))) {
      throw Violation("node_has_job",
                      "node " + std::to_string(node) + " has " + std::to_string(count) + " jobs");
    }
  }
  check_queues(scheduler);
}

}  // namespace gradmill::simulation
