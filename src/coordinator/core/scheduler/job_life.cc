// A job from its submission, or its restoration, to its end.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "coordinator/core/job/job_note.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

// Whoever follows a job may take so long to hear of its end and to fetch its weights.
constexpr std::chrono::milliseconds kFollowersWait{60'000};

std::string rounds_in_words(std::uint32_t count) {
  return count == 1 ? "1 round" : std::to_string(count) + " rounds";
}

/// Whose weights the status of the job names, for people.
std::string kept_weights(const Checkpoint& checkpoint) {
  if (checkpoint.round == 0) {
    return "the initial weights are kept";
  }
  const std::uint32_t round = checkpoint.best_round > 0 ? checkpoint.best_round : checkpoint.round;
  return "the weights of round " + std::to_string(round) + " are kept";
}

double work_per_row(const JobSpecification& job) {
  if (job.prediction) {
    return static_cast<double>(job.prediction->model.file.bytes) / sizeof(float);
  }
  return static_cast<double>(ml::parameter_count(job.rule.topology)) *
         std::max(1U, job.rule.epochs);
}

std::string work_in_words(const Job& job) {
  return job.prediction ? std::to_string(job.prediction->rows) + " rows to predict"
                        : rounds_in_words(job.specification->rounds) + " of " +
                              std::to_string(job.shard_rows.size()) + " shards";
}

/// The work of the job begins where its last validated round ended.
void rewind(Job& job) {
  job.round_weights = job.validated.weights;
  job.server = job.validated.server;
}

}  // namespace

std::int64_t Scheduler::wall_ms(TimePoint now) const {
  using std::chrono::milliseconds;
  return options_.wall_ms +
         std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
}

std::uint64_t Scheduler::save(Record record, Actions& actions) {
  actions.emplace_back(Save{++last_ticket_, std::move(record)});
  return last_ticket_;
}

Actions Scheduler::restore(std::vector<StoredJob> jobs,
                           const std::vector<StoredNode>& nodes,
                           TimePoint now) {
  Actions actions;
  for (const StoredNode& node : nodes) {
    if (!nodes_.find(node.address)) {
      actions.emplace_back(WatchNode{nodes_.add(node.address, node.source, now), node.address});
    }
    if (node.taken_out) {
      nodes_.remove(*nodes_.find(node.address), node.incarnation);
    }
  }
  for (StoredJob& stored : jobs) {
    Job job;
    job.id = std::move(stored.job);
    job.share = stored.share;
    job.specification = std::move(stored.specification);
    job.digest = job_digest(*job.specification);
    job.work_per_row = work_per_row(*job.specification);
    job.shard_rows = std::move(stored.shard_rows);
    job.submitted_ms = stored.submitted_ms;
    job.model = std::move(stored.model);
    job.ended_ms = stored.ended_ms;
    job.durable = std::move(stored.checkpoint);
    job.validated = job.durable;
    job.finished = std::move(stored.rounds);
    job.validation_error = stored.validation_error;
    job.earlier_tallies = std::move(stored.tallies);
    job.end = std::move(stored.end);
    GRADMILL_CHECK(job.finished.size() == job.durable.round || has_ended(stored.state));
    rewind(job);
    if (job.specification->prediction) {
      job.prediction =
          progress_from(*job.specification, job.shard_rows, stored.predicted, stored.batch_rows);
    }
    job.state = stored.state;
    jobs_.add(std::move(job));
  }
  while (Job* const job = next_to_start()) {
    start(*job, JobState::kRecovering);
    actions.emplace_back(job_note(
        *job,
        "recovering",
        job->prediction ? "goes on after row " + std::to_string(job->prediction->rows_durable)
                        : "goes on after round " + std::to_string(job->durable.round)));
    end_if_over(*job, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::submit(JobSubmission submission, TimePoint now) {
  const std::vector<std::uint64_t>& rows = submission.shard_rows;
  GRADMILL_CHECK(!rows.empty() && rows.size() == submission.specification->shards.size());
  GRADMILL_CHECK(std::find(rows.begin(), rows.end(), 0U) == rows.end());
  GRADMILL_CHECK(submission.specification->rounds > 0 || submission.specification->prediction);
  Actions actions;
  Job job;
  job.id = std::move(submission.id);
  job.share = submission.share;
  job.specification = std::move(submission.specification);
  job.digest = job_digest(*job.specification);
  job.work_per_row = work_per_row(*job.specification);
  job.shard_rows = std::move(submission.shard_rows);
  job.submitted_ms = wall_ms(now);
  job.model = std::move(submission.model);
  job.validated.weights = std::move(submission.weights);
  job.validated.server = std::make_shared<const ml::ServerState>();
  job.durable = job.validated;
  rewind(job);
  if (job.specification->prediction) {
    job.prediction = progress_from(*job.specification, job.shard_rows, {}, 0);
  }
  save(JobAdded{job.id,
                job.specification,
                job.shard_rows,
                job.validated.weights,
                std::move(submission.blobs),
                job.submitted_ms,
                job.share,
                job.model},
       actions);
  actions.emplace_back(job_note(job, "submitted", work_in_words(job)));
  jobs_.add(std::move(job));
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::end(const std::string& id, JobState state, const JobEnd& why, TimePoint now) {
  GRADMILL_CHECK(has_ended(state));
  Actions actions;
  Job* const job = jobs_.find(id);
  if (job != nullptr && !has_ended(job->state)) {
    begin_move(*job, {state, why}, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::control(const std::string& id, JobCommand command, TimePoint now) {
  Actions actions;
  Job* const job = jobs_.find(id);
  if (job != nullptr && !has_ended(job->state)) {
    const bool is_paused = job->state == JobState::kPaused;
    if (command == JobCommand::kCancel) {
      begin_move(
          *job, {JobState::kCancelled, {"cancelled", "the job was cancelled"}, true}, now, actions);
    } else if (command == JobCommand::kPause && !is_paused) {
      begin_move(*job, {JobState::kPaused, {}, true}, now, actions);
    } else if (command == JobCommand::kResume && is_paused) {
      begin_move(*job, {JobState::kPending, {}}, now, actions);
    }
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::remove(const std::string& id, TimePoint now) {
  Actions actions;
  const Job* const job = jobs_.find(id);
  if (job != nullptr && has_ended(job->state) && is_forgettable(*job)) {
    jobs_.remove(id);
  }
  dispatch(now, actions);
  return actions;
}

Job* Scheduler::next_to_start() const {
  const auto next = std::find_if(
      jobs_.line().begin(), jobs_.line().end(), [](const Job* job) { return !job->move; });
  const bool has_room = jobs_.running().size() < options_.running_jobs_max;
  return has_room && next != jobs_.line().end() ? *next : nullptr;
}

void Scheduler::start(Job& job, JobState state) {
  jobs_.start(job, state);
  shares_.add(job.number, job.kind(), job.share);
}

void Scheduler::start_waiting(TimePoint now, Actions& actions) {
  while (Job* const job = next_to_start()) {
    start(*job, JobState::kRunning);
    actions.emplace_back(job_note(*job, "started", ""));
    end_if_over(*job, now, actions);
  }
}

void Scheduler::end_if_over(Job& job, TimePoint now, Actions& actions) {
  if (job.prediction) {
    end_if_all_predicted(job, now, actions);
    return;
  }
  const Checkpoint& so_far = job.validated;
  const std::uint32_t patience = job.specification->early_stop;
  std::string message;
  if (so_far.round == job.specification->rounds) {
    message = "all rounds are done";
    if (so_far.best_round > 0) {
      message +=
          "; round " + std::to_string(so_far.best_round) + " has the lowest validation error";
    }
  } else if (patience > 0 && so_far.round - so_far.best_round >= patience) {
    message = "stopped early: " + rounds_in_words(patience) +
              " without a lower validation error than that of round " +
              std::to_string(so_far.best_round);
  } else {
    return;
  }
  begin_move(job, {JobState::kSucceeded, {"succeeded", message}}, now, actions);
}

void Scheduler::conclude(Job& job, JobConclusion conclusion, TimePoint now, Actions& actions) {
  drop_round(job, actions);
  job.conclusion = std::move(conclusion);
  ++job.version;
  end_if_concluded(job, now, actions);
}

void Scheduler::end_if_concluded(Job& job, TimePoint now, Actions& actions) {
  if (!job.conclusion || job.move || awaiting_validation(job) > 0) {
    return;
  }
  JobConclusion conclusion = *std::move(job.conclusion);
  conclusion.end.message += "; " + kept_weights(job.validated);
  begin_move(job, {conclusion.state, std::move(conclusion.end)}, now, actions);
}

void Scheduler::begin_move(Job& job, JobMove move, TimePoint now, Actions& actions) {
  if (job.move) {
    return;  // What was decided first happens.
  }
  save_predictions(job, now, actions);
  drop_round(job, actions);
  while (!job.advanced.empty() && !job.advanced.back().validated) {
    job.advanced.pop_back();
    ++job.stale_validations;
  }
  job.conclusion.reset();
  rewind(job);
  job.offers_before = job.last_offer;
  move.ended_ms = has_ended(move.to) ? wall_ms(now) : 0;
  JobMoved record{job.id, move.to, move.end, move.ended_ms, tallies(job)};
  job.move = std::move(move);
  ++job.version;
  unsaved_.push_back({save(std::move(record), actions), job.id, std::nullopt, now});
}

void Scheduler::finish_move_if_settled(Job& job, Actions& actions) {
  if (!job.move || !job.move->durable || (job.move->by_command && nodes_.owes(job.id))) {
    return;
  }
  const JobMove move = *std::exchange(job.move, std::nullopt);
  if (shares_.knows(job.number)) {
    shares_.remove(job.number);
  }
  jobs_.move(job, move.to);
  job.end = move.end;
  Note note = job_note(job, std::string(name_of(move.to)), move.end.message);
  note.event.reason = move.end.reason;
  note.event.warning = move.to == JobState::kFailed;
  actions.emplace_back(std::move(note));
  if (!has_ended(move.to)) {
    return;
  }
  job.ended_ms = move.ended_ms;
  actions.emplace_back(JobEnded{job.id, job.specification, job.durable.result()});
  job.durable.weights.bytes.reset();
  job.durable.best_weights.bytes.reset();
  job.durable.server.reset();
  job.validated = {};
  job.round_weights = {};
  job.server.reset();
  forget_old_jobs(job.ended_ms, actions);
}

bool Scheduler::is_forgettable(const Job& job) const {
  return !nodes_.owes(job.id) && job.stale_steps == 0 && job.stale_validations == 0;
}

void Scheduler::forget_old_jobs(std::int64_t now_ms, Actions& actions) {
  const auto may_go = [&](const Job& job) {
    // One that ended in the future ended before a restart and before the clock was set back.
    const bool is_followed =
        job.ended_ms <= now_ms && now_ms - job.ended_ms < kFollowersWait.count();
    return is_forgettable(job) && !is_followed;
  };
  while (jobs_.ended().size() > options_.retention.jobs &&
         may_go(*jobs_.find(jobs_.ended().front()))) {
    const std::string id = jobs_.ended().front();
    save(JobRemoved{id}, actions);
    jobs_.remove(id);
  }
}

}  // namespace gradmill::coordinator
