#include "simulation/round_monitor.h"

#include <algorithm>
#include <numeric>

#include "simulation/arithmetic.h"
#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

std::string text_of(const std::string& job, std::uint32_t round) {
  return "round " + std::to_string(round) + " of " + job;
}

/// Shards 0 to `count` - 1 that `some`, ascending, lacks.
std::vector<std::uint32_t> others(const std::vector<std::uint32_t>& some, std::size_t count) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  std::vector<std::uint32_t> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

RoundMonitor::RoundMonitor(const Plan& plan, Counts& counts) : plan_(plan), counts_(counts) {
  for (const JobPlan& job : plan.jobs) {
    steps_[{job.id, 0, job.weights.ref.digest}] = {};
  }
}

const JobPlan& RoundMonitor::plan_of(const std::string& job) const {
  return *std::find_if(
      plan_.jobs.begin(), plan_.jobs.end(), [&](const JobPlan& plan) { return plan.id == job; });
}

const RoundMonitor::Step& RoundMonitor::step_of(const std::string& job,
                                                std::uint32_t round,
                                                const Digest& weights) const {
  const auto found = steps_.find({job, round, weights});
  if (found == steps_.end()) {
    throw Violation("weights_known", "no step gave the weights after " + text_of(job, round));
  }
  return found->second;
}

std::vector<std::uint32_t> RoundMonitor::shards_in(const coordinator::AdvanceRound& round) const {
  const JobPlan& job = plan_of(round.job);
  const Digest digest = job_digest(*job.specification);
  std::vector<std::uint32_t> shards;
  for (std::uint32_t shard = 0; shard < job.rows.size() && shards.size() < round.deltas.size();
       ++shard) {
    const Blob& delta = round.deltas[shards.size()];
    if (plan_.has_broken_node ||
        delta.ref == delta_of(digest, round.round, shard, round.weights).ref) {
      shards.push_back(shard);
    }
  }
  if (shards.size() != round.deltas.size()) {
    throw Violation("delta_in_place",
                    text_of(round.job, round.round) + " has a delta that is not of its shard");
  }
  return shards;
}

void RoundMonitor::advances(const coordinator::AdvanceRound& round) {
  static_cast<void>(step_of(round.job, round.round - 1, round.weights.ref.digest));
  const JobPlan& job = plan_of(round.job);
  const std::vector<std::uint32_t> shards = shards_in(round);
  const JobSpecification& specification = *job.specification;
  const std::size_t least =
      specification.quorum > 0 ? specification.quorum : specification.shards.size();
  if (shards.size() < least) {
    throw Violation("rows_add_up", text_of(round.job, round.round) + " lacks shards");
  }
  std::vector<std::uint64_t> rows;
  for (const std::uint32_t shard : shards) {
    rows.push_back(job.rows[shard]);
  }
  if (!plan_.has_broken_node && rows != round.rows) {
    throw Violation("rows_add_up", text_of(round.job, round.round) + " weighs its shards wrongly");
  }
}

void RoundMonitor::advanced(const coordinator::AdvanceRound& round,
                            const coordinator::RoundStep& step) {
  counts_.add(Tally::kRounds);
  Step next;
  next.missing = others(shards_in(round), round.specification->shards.size());
  next.server = step.server->first;
  next.exact =
      step_of(round.job, round.round - 1, round.weights.ref.digest).exact && next.missing.empty();
  counts_.add(Tally::kRoundsIncomplete, next.missing.empty() ? 0 : 1);
  steps_[{round.job, round.round, step.weights.ref.digest}] = std::move(next);
}

void RoundMonitor::check_expected(const JobPlan& job,
                                  std::uint32_t round,
                                  const Digest& weights) const {
  if (plan_.has_broken_node) {
    return;
  }
  if (round >= job.expected.weights.size() || job.expected.weights[round].ref.digest != weights) {
    throw Violation(
        "final_hash",
        "the weights after " + text_of(job.id, round) + " are not those of the fault-free run");
  }
}

void RoundMonitor::saves(const coordinator::RoundFinished& record) const {
  const std::string text = text_of(record.job, record.report.round);
  const coordinator::Checkpoint& checkpoint = record.checkpoint;
  const Step& step = step_of(record.job, record.report.round, checkpoint.weights.ref.digest);
  std::vector<std::uint32_t> shards;
  for (const TaskReport& task : record.report.tasks) {
    shards.push_back(task.shard);
  }
  const std::size_t all = plan_of(record.job).rows.size();
  if (checkpoint.round != record.report.round || others(shards, all) != record.report.missing ||
      shards.size() + record.report.missing.size() != all) {
    throw Violation("checkpoint_complete", text + " is saved before it is complete");
  }
  if (!plan_.has_broken_node && record.report.missing != step.missing) {
    throw Violation("checkpoint_complete", text + " does not tell which shards it went without");
  }
  if (checkpoint.server == nullptr || checkpoint.server->first != step.server) {
    throw Violation("checkpoint_complete", text + " has the server's memory of another round");
  }
  if (record.report.validation_error !=
      error_of(*plan_of(record.job).specification, checkpoint.round, checkpoint.weights)) {
    throw Violation("error_of_weights", text + " has an error that is not that of its weights");
  }
  if (!plan_.has_broken_node && checkpoint.exact != step.exact) {
    throw Violation("exact_flag", text + (step.exact ? " is exact" : " is not exact"));
  }
  if (step.exact) {
    check_expected(plan_of(record.job), checkpoint.round, checkpoint.weights.ref.digest);
  }
}

void RoundMonitor::ends(const coordinator::Job& job, const coordinator::JobEnded& ended) {
  const Digest& weights = ended.weights.ref.digest;
  if (ended.weights.bytes == nullptr) {
    throw Violation("final_hash", job.id + " ends without its weights");
  }
  const std::uint32_t round =
      job.durable.best_round > 0 ? job.durable.best_round : job.durable.round;
  const Step& step = step_of(job.id, round, weights);
  if (step.exact) {
    check_expected(plan_of(job.id), round, weights);
  }
  counts_.add(Tally::kJobs);
  if (job.state == JobState::kSucceeded) {
    counts_.add(Tally::kSucceeded);
    check_success(job, weights);
  } else {
    counts_.add(job.state == JobState::kCancelled ? Tally::kCancelled : Tally::kFailed);
  }
}

void RoundMonitor::check_success(const coordinator::Job& job, const Digest& weights) {
  const FaultFree& expected = plan_of(job.id).expected;
  if (plan_.has_broken_node || !job.durable.exact) {
    return;
  }
  if (expected.diverges || job.durable.round + 1 != expected.weights.size() ||
      weights != expected.result(job.durable.round).ref.digest) {
    throw Violation("final_hash", "the result of " + job.id + " is not that of the fault-free run");
  }
  counts_.add(Tally::kHashesCompared);
}

}  // namespace gradmill::simulation
