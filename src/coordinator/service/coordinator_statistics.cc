// How long queries took, and what nodes are at: measured around the scheduler, which knows nothing
// of it.
#include <chrono>
#include <utility>

#include "base/overload.h"
#include "coordinator/service/coordinator.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

/// The result of a task that is out, as if it counted at `now`; nothing if it cannot.
std::optional<QueryTiming> timing_of(const Job& job,
                                     const TaskId& task,
                                     double compute_seconds,
                                     TimePoint now) {
  using Seconds = std::chrono::duration<double>;
  const bool is_current = job.round && job.round->number() == task.round;
  const Round::Lease* const lease = is_current ? job.round->lease(task.shard, task.offer) : nullptr;
  if (lease == nullptr) {
    return std::nullopt;
  }
  const TimePoint added_at = job.round->task(task.shard).added_at;
  const Duration taken = now - lease->offered_at;
  const double most = Seconds(taken).count();
  // No node computes for longer than it had the task, whatever it says.
  const bool is_likely = compute_seconds >= 0 && compute_seconds < most;
  return QueryTiming{
      .queue = lease->offered_at - added_at,
      .compute = std::chrono::duration_cast<Duration>(Seconds(is_likely ? compute_seconds : most)),
      .total = now - added_at,
      .rows = job.rows_of(task.shard)};
}

std::uint64_t counted(const Job& job, NodeId node) {
  const auto tally = job.tallies.find(node);
  return tally == job.tallies.end() ? 0 : tally->second.tasks;
}

}  // namespace

Actions Coordinator::task_done(NodeId node, const TaskId& task, TaskResult result, TimePoint now) {
  const Job* const job = scheduler_.find(task.job);
  const std::optional<QueryTiming> timing =
      job == nullptr ? std::nullopt : timing_of(*job, task, result.compute_seconds, now);
  if (!timing) {
    return scheduler_.task_done(node, task, std::move(result), now);
  }
  const std::uint64_t before = counted(*job, node);
  Actions actions = scheduler_.task_done(node, task, std::move(result), now);
  if (counted(*job, node) > before) {
    job_recorders_.add(task.job, *timing, now);
    if (job->prediction) {
      const ServedModel& model = job->specification->prediction->model;
      model_recorders_.add_batch(model.model, model.version, *timing, now);
    }
  }
  return actions;
}

void Coordinator::complete(Record& record) {
  std::visit(Overload{[&](JobMoved& moved) {
                        if (has_ended(moved.state)) {
                          moved.statistics = job_recorders_.end(moved.job, Clock::now());
                        }
                      },
                      [&](const JobRemoved& removed) { job_recorders_.forget(removed.job); },
                      [](const auto& /*other*/) {}},
             record);
}

JobStatistics Coordinator::statistics(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Job& job = job_at(id);
  JobStatistics found{
      .job = id, .state = job.state, .predicts = job.prediction.has_value(), .tasks = {}};
  found.tasks = job_recorders_.statistics(id, Clock::now());
  if (!found.tasks && !has_ended(job.state)) {
    found.tasks.emplace();
  }
  return found;
}

ModelStatistics Coordinator::model_statistics(std::string_view reference) {
  const std::shared_ptr<const ModelVersion> version = resolve_model(reference);
  return model_recorders_.statistics(version->model, version->version, Clock::now());
}

std::vector<NodeTask> Coordinator::tasks_of(NodeId node) const {
  const TimePoint now = Clock::now();
  std::vector<NodeTask> all;
  for (const TaskId& task : scheduler_.nodes().at(node).offers) {
    NodeTask& one = all.emplace_back();
    one.job = task.job;
    one.round = task.round;
    one.shard = task.shard;
    const Job* const job = scheduler_.find(task.job);
    one.predicts = job != nullptr && job->prediction;
    const bool is_current = job != nullptr && job->round && job->round->number() == task.round;
    const Round::Lease* const lease =
        is_current ? job->round->lease(task.shard, task.offer) : nullptr;
    if (lease != nullptr) {
      one.begun = lease->accepted;
      one.offered_ago =
          std::chrono::duration_cast<std::chrono::milliseconds>(now - lease->offered_at);
    }
  }
  return all;
}

}  // namespace gradmill::coordinator
