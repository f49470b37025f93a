#include "simulation/job_monitor.h"

#include <algorithm>
#include <chrono>

#include "simulation/violation.h"

namespace gradmill::simulation {

using namespace std::chrono_literals;
using coordinator::Job;
using coordinator::Scheduler;
using coordinator::StoredJob;

namespace {

constexpr Duration kNodeDownMax = 8s;

/// Rows of a prediction job that users can see.
std::uint64_t rows_of(const Job& job) { return job.prediction ? job.prediction->rows_durable : 0; }

std::uint64_t rows_of(const StoredJob& job) {
  return job.predicted.empty() ? 0 : job.predicted.back().first_row + job.predicted.back().rows;
}

}  // namespace

void JobMonitor::restarted(const Disk& disk) {
  seen_.clear();
  const std::vector<StoredJob> jobs = disk.jobs();
  for (auto& [id, told] : told_) {
    const auto stored = std::find_if(
        jobs.begin(), jobs.end(), [&, job = id](const StoredJob& one) { return one.job == job; });
    if (stored == jobs.end()) {
      if (told.submitted || told.rounds > 0) {
        throw Violation("told_is_durable", id + " was submitted, and is gone after a crash");
      }
      continue;
    }
    if (stored->checkpoint.round < told.rounds || rows_of(*stored) < told.rows) {
      throw Violation("told_is_durable", id + " lost finished rounds or rows in a crash");
    }
    const bool changed = told.state == JobState::kPaused ? !told.resume_asked : true;
    if ((gradmill::has_ended(told.state) || told.state == JobState::kPaused) && changed &&
        stored->state != told.state &&
        !(told.state == JobState::kPaused && gradmill::has_ended(stored->state))) {
      throw Violation("told_is_durable",
                      id + " was " + std::string(name_of(told.state)) + ", and after a crash is " +
                          std::string(name_of(stored->state)));
    }
    if (stored->state == JobState::kPaused && !told.pause_asked) {
      throw Violation("told_is_durable", id + " is paused, and nobody asked for it");
    }
  }
}

void JobMonitor::commanded(const std::string& job, JobCommand command) {
  Told& told = told_[job];
  told.pause_asked |= command == JobCommand::kPause;
  told.resume_asked |= command == JobCommand::kResume && told.state == JobState::kPaused;
}

void JobMonitor::removed(const std::string& job) {
  told_.erase(job);
  seen_.erase(job);
  failures_.erase(job);
}

void JobMonitor::check_poison(const Job& job, const JobPlan& plan) const {
  const bool blames = job.end.reason == "poison_shard";
  const std::string name =
      plan.poison ? "shard " + std::to_string(*plan.poison + 1) + " of round " : "nothing";
  if (blames && !job.end.message.starts_with(name)) {
    throw Violation("poison_named", job.id + " has poison in " + name + ": " + job.end.message);
  }
  // Poison can end all nodes at once, so that none is left to take it for so long.
  const bool starved = job.end.reason == "no_capacity" && capacity_timeout_ <= kNodeDownMax;
  // Or another shard fails too often before. One that is poison never fails: it ends its node.
  const bool other_failed = job.end.reason == "shard_failed" && !job.end.message.starts_with(name);
  const bool may_do_without =
      starved || other_failed || job.state == JobState::kCancelled || job.specification->quorum > 0;
  if (plan.poison && !blames && !may_do_without) {
    throw Violation("poison_named",
                    job.id + " has poison in " + name + ", and ended: " + job.end.message);
  }
}

void JobMonitor::ends(const Job& job, const JobPlan& plan) {
  check_poison(job, plan);
  ended_.insert(job.id);
  const auto count = [&](const std::map<std::string, unsigned>& counts) {
    const auto found = counts.find(job.id);
    return found == counts.end() ? 0U : found->second;
  };
  const std::string& reason = job.end.reason;
  const bool justified = job.state != JobState::kFailed || reason == "no_capacity" ||
                         (reason == "diverged" && plan.divergence.round > 0) ||
                         (reason == "shard_failed" && count(failures_) >= 4) ||
                         (reason == "poison_shard" && plan.poison);
  if (!justified) {
    throw Violation("justified_end", job.id + " failed: " + reason + ": " + job.end.message);
  }
}

JobMonitor::View JobMonitor::view_of(const Scheduler& scheduler, const Job& job) {
  const std::uint32_t round = job.round ? job.round->number() : 0;
  return {job.state,
          job.finished.size(),
          round,
          job.round ? job.round->done() : 0,
          scheduler.ahead(job),
          job.move && job.move->by_command,
          rows_of(job)};
}

void JobMonitor::after_event(const Scheduler& scheduler) {
  for (const std::string& id : scheduler.jobs()) {
    const Job& job = *scheduler.find(id);
    Seen& seen = seen_[id];
    const View view = view_of(scheduler, job);
    if (job.version < seen.version || (job.version == seen.version && view != seen.view)) {
      throw Violation("version_rises",
                      id + " has changed, and its version is still " + std::to_string(job.version));
    }
    seen = {job.version, view};
    Told& told = told_[id];
    if (told.state == JobState::kPaused && job.state != JobState::kPaused) {
      if (!told.resume_asked && !gradmill::has_ended(job.state)) {
        throw Violation("told_is_durable", id + " goes on, and was not resumed");
      }
      told.pause_asked = false;
      told.resume_asked = false;
    }
    told.state = job.state;
    if (gradmill::has_ended(job.state)) {
      ended_.insert(id);  // Perhaps by a crash between the record and its news.
    }
    told.rounds = std::max(told.rounds, job.finished.size());
    told.rows = std::max(told.rows, rows_of(job));
  }
}

}  // namespace gradmill::simulation
