// A job from round to round.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "coordinator/core/job/job_note.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

// Rounds that may wait for their validation; beyond that, training waits for it.
constexpr std::size_t kAwaitingMax = 2;

/// For people.
std::string name_of_task(const Job& job, std::uint32_t shard) {
  if (job.prediction) {
    const Batch& batch = job.prediction->batch(shard);
    std::uint64_t row = batch.rows.first + 1;
    for (std::uint32_t before = 0; before < batch.shard; ++before) {
      row += job.shard_rows[before];
    }
    return "the batch of rows " + std::to_string(row) + " to " +
           std::to_string(row + batch.rows.count - 1);
  }
  return "shard " + std::to_string(shard + 1) + " of round " + std::to_string(job.round->number());
}

}  // namespace

Actions Scheduler::round_advanced(const std::string& id,
                                  std::uint32_t round,
                                  RoundStep step,
                                  TimePoint now) {
  Actions actions;
  if (!is_stale_step(id) && is_advancing(id, round)) {
    Job& job = *jobs_.running(id);
    AdvancedRound& advanced = job.advanced.emplace_back();
    advanced.report = job.round->report(nodes_, now);
    advanced.report.aggregate = step.seconds;
    advanced.weights = step.weights;
    advanced.server = step.server;
    advanced.tallies = tallies(job);
    job.round_weights = std::move(step.weights);
    job.server = std::move(step.server);
    job.advancing = false;
    job.round.reset();
    ++job.version;
    actions.emplace_back(ValidateRound{id, round, job.specification, job.round_weights});
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::round_diverged(const std::string& id, std::uint32_t round, TimePoint now) {
  Actions actions;
  if (!is_stale_step(id) && is_advancing(id, round)) {
    Job& job = *jobs_.running(id);
    job.advancing = false;
    conclude(job,
             {JobState::kFailed,
              {"diverged",
               "the weights are no longer finite after round " + std::to_string(round) +
                   "; a smaller eta may help"}},
             now,
             actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::step_failed(const std::string& id, const std::string& why, TimePoint now) {
  Actions actions;
  Job* const job = jobs_.find(id);
  if (!is_stale_step(id) && job != nullptr && job->advancing) {
    job->advancing = false;  // It has been answered.
    begin_move(*job, {JobState::kFailed, {"internal", why}}, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::validation_failed(const std::string& id, const std::string& why, TimePoint now) {
  Actions actions;
  Job* const job = jobs_.find(id);
  if (!is_stale_validation(id) && job != nullptr && awaiting_validation(*job) > 0) {
    begin_move(*job, {JobState::kFailed, {"internal", why}}, now, actions);
    --job->stale_validations;  // One of those that were dropped has been answered.
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::round_validated(const std::string& id,
                                   std::uint32_t round,
                                   const RoundValidation& validation,
                                   TimePoint now) {
  Actions actions;
  Job* const job = jobs_.running(id);
  const bool is_due = !is_stale_validation(id) && job != nullptr && !job->move &&
                      job->validated.round + 1 == round && awaiting_validation(*job) > 0;
  if (is_due) {
    AdvancedRound& advanced = job->advanced[round - job->durable.round - 1];
    GRADMILL_CHECK(advanced.report.round == round && !advanced.validated);
    advanced.validated = true;
    advanced.report.validation_error = validation.error;
    advanced.report.validate = validation.seconds;
    save_round(*job, advanced, now, actions);
    end_if_over(*job, now, actions);
    end_if_concluded(*job, now, actions);
    if (!job->move) {
      complete_if_all_in(*job, actions);
    }
  }
  dispatch(now, actions);
  return actions;
}

void Scheduler::save_round(Job& job, AdvancedRound& round, TimePoint now, Actions& actions) {
  Checkpoint& checkpoint = job.validated;
  checkpoint.round = round.report.round;
  checkpoint.weights = round.weights;
  checkpoint.server = round.server;
  checkpoint.exact = checkpoint.exact && round.report.missing.empty();
  const double error = round.report.validation_error.value_or(0);
  if (job.specification->early_stop > 0 &&
      (checkpoint.best_round == 0 || error < checkpoint.best_error)) {
    checkpoint.best_round = checkpoint.round;
    checkpoint.best_error = error;
    checkpoint.best_weights = round.weights;
  }
  if (!job.unsaved_since) {
    job.unsaved_since = now;
  }
  const std::uint64_t ticket =
      save(RoundFinished{job.id, round.report, checkpoint, std::move(round.tallies)}, actions);
  unsaved_.push_back({ticket, job.id, checkpoint, now});
  round.report.tasks.clear();
  round.report.tasks.shrink_to_fit();
}

Actions Scheduler::saved(std::uint64_t ticket, TimePoint now) {
  Actions actions;
  saved_ticket_ = std::max(saved_ticket_, ticket);
  for (; !unsaved_.empty() && unsaved_.front().ticket <= ticket; unsaved_.pop_front()) {
    Pending& pending = unsaved_.front();
    Job* const job = jobs_.find(pending.job);
    GRADMILL_CHECK(job != nullptr);
    ++job->version;
    if (pending.checkpoint) {
      finish_round(*job, *std::move(pending.checkpoint), actions);
    } else if (pending.range) {
      finish_range(*job, *std::move(pending.range));
    } else {
      job->move->durable = true;
      finish_move_if_settled(*job, actions);
    }
  }
  dispatch(now, actions);
  return actions;
}

void Scheduler::finish_round(Job& job, Checkpoint checkpoint, Actions& actions) {
  RoundReport report = std::move(job.advanced.front().report);
  GRADMILL_CHECK(report.round == checkpoint.round && report.round == job.durable.round + 1);
  job.advanced.pop_front();
  Note note = job_note(job, "round_finished", "");
  note.event.round = report.round;
  if (report.validation_error) {
    note.event.message = "validation error " + std::to_string(*report.validation_error);
  }
  if (!report.missing.empty()) {
    note.event.warning = true;
    note.event.reason = "incomplete";
    note.event.message += (note.event.message.empty() ? "" : ", ") + std::string("without ") +
                          std::to_string(report.missing.size()) + " shards";
  }
  actions.emplace_back(std::move(note));
  job.durable = std::move(checkpoint);
  job.finished.push_back(std::move(report));
  const auto next = std::find_if(unsaved_.begin(), unsaved_.end(), [&](const Pending& pending) {
    return pending.job == job.id && pending.checkpoint &&
           pending.checkpoint->round > job.durable.round;
  });
  job.unsaved_since = next == unsaved_.end() ? std::nullopt : std::optional(next->since);
}

void Scheduler::start_round(Job& job, TimePoint now) {
  if (job.prediction) {
    add_batches(job, now);
    return;
  }
  const std::uint32_t passed = job.rounds_advanced();
  if (job.round || job.conclusion || job.move || is_held_back(job, now) ||
      passed >= job.specification->rounds) {
    return;
  }
  job.round.emplace(passed + 1, job.shard_rows.size(), now, first_offer_of_round(job));
  shares_.arrived(job.number);
}

bool Scheduler::is_held_back(const Job& job, TimePoint now) const {
  return job.unsaved_since && now - *job.unsaved_since > options_.unsaved_max;
}

std::uint64_t Scheduler::first_offer_of_round(const Job& job) const {
  const std::uint64_t of_earlier_starts = (options_.epoch - 1) << 20U;
  return std::max(of_earlier_starts, job.offers_before);
}

void Scheduler::end_late_round(Job& job, TimePoint now, Actions& actions) {
  Round& round = *job.round;
  const JobSpecification& specification = *job.specification;
  const bool is_late =
      specification.quorum > 0 && now - round.started() >= specification.round_deadline;
  if (!is_late || round.complete() || round.done() < specification.quorum) {
    return;
  }
  nodes_.drop_queued(job.number);
  for (const auto& [shard, lease] : round.skip_rest()) {
    actions.emplace_back(CancelTask{lease.node, round.id(job.id, shard, lease.offer)});
  }
  complete_if_all_in(job, actions);
}

bool Scheduler::is_stale_step(const std::string& id) {
  Job* const job = jobs_.find(id);
  return job != nullptr && job->stale_steps > 0 && job->stale_steps-- > 0;
}

bool Scheduler::is_stale_validation(const std::string& id) {
  Job* const job = jobs_.find(id);
  return job != nullptr && job->stale_validations > 0 && job->stale_validations-- > 0;
}

bool Scheduler::is_advancing(const std::string& id, std::uint32_t round) const {
  const Job* const job = jobs_.running(id);
  return job != nullptr && job->advancing && job->round->number() == round;
}

std::size_t Scheduler::awaiting_validation(const Job& job) {
  return job.rounds_advanced() - job.validated.round;
}

void Scheduler::complete_if_all_in(Job& job, Actions& actions) const {
  if (job.prediction || !job.round || !job.round->complete() || job.advancing ||
      awaiting_validation(job) >= kAwaitingMax) {
    return;
  }
  job.advancing = true;
  AdvanceRound advance;
  advance.job = job.id;
  advance.round = job.round->number();
  advance.specification = job.specification;
  advance.weights = job.round_weights;
  for (const std::uint32_t shard : job.round->shards_done()) {
    advance.rows.push_back(job.shard_rows[shard]);
    advance.deltas.push_back(job.round->task(shard).result.delta);
  }
  advance.server = job.server;
  actions.emplace_back(std::move(advance));
}

void Scheduler::end_if_hopeless(Job& job, std::uint32_t shard, TimePoint now, Actions& actions) {
  if (!job.round) {
    return;
  }
  if (std::optional<JobEnd> end = job.round->hopeless(shard, name_of_task(job, shard), nodes_)) {
    begin_move(job, {JobState::kFailed, *std::move(end)}, now, actions);
  }
}

void Scheduler::end_if_diverged(Job& job, std::uint32_t shard, TimePoint now, Actions& actions) {
  if (job.round && job.round->diverged(shard, nodes_)) {
    conclude(job,
             {JobState::kFailed,
              {"diverged",
               "the loss of shard " + std::to_string(shard + 1) + " is no longer finite in round " +
                   std::to_string(job.round->number()) + "; a smaller eta may help"}},
             now,
             actions);
  }
}

void Scheduler::drop_round(Job& job, Actions& actions) {
  if (job.round) {
    for (const std::uint32_t shard : job.round->out()) {
      for (const Round::Lease& lease : job.round->task(shard).leases) {
        actions.emplace_back(CancelTask{lease.node, job.round->id(job.id, shard, lease.offer)});
      }
    }
    nodes_.drop_queued(job.number);
  }
  forget_batches(job);
  job.round.reset();
  job.stale_steps += job.advancing ? 1U : 0U;
  job.advancing = false;
}

void Scheduler::check_invariants(const Job& job) const {
  for (std::size_t n = 0; n < job.advanced.size(); ++n) {
    const AdvancedRound& advanced = job.advanced[n];
    GRADMILL_CHECK(advanced.report.round == job.durable.round + n + 1);
    GRADMILL_CHECK(advanced.validated == (advanced.report.round <= job.validated.round));
  }
  GRADMILL_CHECK(job.finished.size() == job.durable.round ||
                 (has_ended(job.state) && job.finished.empty()));
  GRADMILL_CHECK(job.durable.round <= job.validated.round &&
                 job.validated.round <= job.rounds_advanced());
  GRADMILL_CHECK(awaiting_validation(job) <= kAwaitingMax && job.durable.weights.bytes != nullptr);
  if (job.prediction) {
    check_prediction(job);
    return;
  }
  GRADMILL_CHECK(job.unsaved_since.has_value() == (job.durable.round < job.validated.round));
  GRADMILL_CHECK(!job.round || (!job.conclusion && !job.move));
  GRADMILL_CHECK(!job.conclusion || (!job.advancing && awaiting_validation(job) > 0));
  if (job.round) {
    GRADMILL_CHECK(job.round->number() == job.rounds_advanced() + 1);
    GRADMILL_CHECK(!job.advancing || job.round->complete());
    GRADMILL_CHECK(job.advancing || !job.round->complete() ||
                   awaiting_validation(job) == kAwaitingMax);
    job.round->check_invariants();
    job.round->check_invariants(job.id, job.number, nodes_);
  }
}

}  // namespace gradmill::coordinator
