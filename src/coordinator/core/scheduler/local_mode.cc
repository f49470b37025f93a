// Local mode: each job has nodes of its own.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

// Measured costs change with every task; nodes need not.
constexpr std::chrono::seconds kShareAgain{2};
// A task that all nodes of its job refused so often in a row may ask the others.
constexpr unsigned kBackoffsMax = 3;

/// Whether the job will have tasks.
bool needs_nodes(const Job& job) {
  const bool is_work_left = job.prediction ? job.prediction->rows_saved < job.prediction->rows
                                           : job.rounds_advanced() < job.specification->rounds;
  return !job.conclusion && !job.move && (job.round || is_work_left);
}

/// What goes at equal rates, by weight, if nodes go by its cost: a round, or a predicted row.
double rows_at_a_time(const Job& job) {
  return job.prediction ? 1
                        : static_cast<double>(std::accumulate(
                              job.shard_rows.begin(), job.shard_rows.end(), std::uint64_t{0}));
}

/// Jobs on the same nodes compete, and no others do.
std::map<JobNumber, std::uint64_t> pools_of(const NodeShares& shares) {
  std::map<JobNumber, std::uint64_t> pools;
  for (const auto& [job, nodes] : shares) {
    pools[job] = std::uint64_t{1} + *nodes.begin();
  }
  return pools;
}

}  // namespace

Actions Scheduler::set_scheduling(SchedulingMode mode, TimePoint now) {
  Actions actions;
  if (mode != options_.scheduling) {
    options_.scheduling = mode;
    save(SchedulingSet{mode}, actions);
    node_shares_.clear();
    shared_among_.clear();
    shares_.regroup({});
    for (NodeId node = 0; node < nodes_.size(); ++node) {
      reclaim_queue(node);
    }
    Note note;
    note.event.event = "scheduling_changed";
    note.event.message = "scheduling is " + std::string(name_of(mode));
    actions.emplace_back(std::move(note));
  }
  dispatch(now, actions);
  return actions;
}

double Scheduler::cost_of_row(const Job& job) const {
  return job.seconds_per_row > 0
             ? job.seconds_per_row
             : job.work_per_row * (seconds_per_work_ > 0 ? seconds_per_work_ : 1);
}

std::vector<NodeDemand> Scheduler::node_demands() const {
  struct Total {
    double weight = 0;
    double cost = 0;
  };
  std::map<WorkKind, Total> totals;
  std::vector<NodeDemand> demands;
  for (const auto& [number, job] : jobs_.running()) {
    if (needs_nodes(*job)) {
      const double cost = cost_of_row(*job) * rows_at_a_time(*job);
      demands.push_back({number, cost, job->share.weight});
      Total& total = totals[job->kind()];
      total.weight += job->share.weight;
      total.cost += cost * job->share.weight;
    }
  }
  // The cost of a round says nothing against that of a row: the two kinds go by weight alone.
  for (NodeDemand& demand : demands) {
    const Total& total = totals.at(jobs_.running().at(demand.job)->kind());
    demand.cost *= total.weight / total.cost;
  }
  return demands;
}

std::vector<NodeSupply> Scheduler::node_supplies(TimePoint now) const {
  std::vector<NodeSupply> nodes;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_.at(id);
    if (node.state == NodeState::kAlive && node.aside_until <= now) {
      nodes.push_back({id, node.slots});
    }
  }
  return nodes;
}

void Scheduler::share_nodes_out(TimePoint now) {
  if (options_.scheduling == SchedulingMode::kGlobal) {
    return;
  }
  std::vector<JobNumber> jobs;
  for (const auto& [number, job] : jobs_.running()) {
    if (needs_nodes(*job)) {
      jobs.push_back(number);
    }
  }
  std::vector<NodeSupply> nodes = node_supplies(now);
  if (jobs == shared_among_ && nodes == shared_out_ && now < share_again_) {
    return;
  }
  NodeShares shares = share_out(node_demands(), nodes, node_shares_);
  shared_among_ = std::move(jobs);
  shared_out_ = std::move(nodes);
  share_again_ = now + kShareAgain;
  if (shares != node_shares_) {
    node_shares_ = std::move(shares);
    shares_.regroup(pools_of(node_shares_));
    take_back_foreign();
  }
}

void Scheduler::take_back_foreign() {
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    const std::map<JobNumber, std::deque<std::uint32_t>> queues = nodes_.at(node).queues;
    for (const auto& [number, queue] : queues) {
      Job& job = *jobs_.running().at(number);
      for (const std::uint32_t shard : queue) {
        if (!is_open_to(job, shard, node)) {
          nodes_.withdraw(node, {number, shard});
          job.round->unqueue(shard);
        }
      }
    }
  }
}

const std::set<NodeId>* Scheduler::nodes_open_to(const Job& job, std::uint32_t shard) const {
  static const std::set<NodeId> none;
  if (options_.scheduling == SchedulingMode::kGlobal) {
    return nullptr;
  }
  const Round::Task& task = job.round->task(shard);
  if (task.is_suspect() || task.backoffs >= kBackoffsMax) {
    return nullptr;
  }
  const auto own = node_shares_.find(job.number);
  if (own == node_shares_.end()) {
    return &none;
  }
  // What went wrong at all nodes of the job is tried elsewhere: it may be the nodes.
  const bool is_spoilt = std::all_of(own->second.begin(), own->second.end(), [&](NodeId node) {
    return task.diverged_on.contains(node) ||
           std::find(task.failed_on.begin(), task.failed_on.end(), node) != task.failed_on.end();
  });
  return is_spoilt ? nullptr : &own->second;
}

bool Scheduler::is_open_to(const Job& job, std::uint32_t shard, NodeId node) const {
  const std::set<NodeId>* const open = nodes_open_to(job, shard);
  return open == nullptr || open->contains(node);
}

bool Scheduler::serves(NodeId node, const Job& job) const {
  const auto own = node_shares_.find(job.number);
  return options_.scheduling == SchedulingMode::kGlobal ||
         (own != node_shares_.end() && own->second.contains(node));
}

bool Scheduler::has_displaced(const Job& job) const {
  // What made them so made them choosy.
  const std::set<std::uint32_t>& choosy = job.round->choosy();
  return options_.scheduling == SchedulingMode::kLocal &&
         std::any_of(choosy.begin(), choosy.end(), [&](std::uint32_t shard) {
           return nodes_open_to(job, shard) == nullptr;
         });
}

}  // namespace gradmill::coordinator
