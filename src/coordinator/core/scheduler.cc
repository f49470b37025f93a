#include "coordinator/core/scheduler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "coordinator/core/backoff.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kEndedJobsKept = 200;
// A policy may hold a task for a busy node; it is asked again after this, since views age.
constexpr std::chrono::milliseconds kHoldMax{250};
// Rounds that may wait for their validation; beyond that, training waits for it.
constexpr std::size_t kAdvancedMax = 2;
// Longer waits are not told from this one, and times stay far from overflow.
constexpr std::chrono::hours kCapacityTimeoutMax{24 * 3650};

std::string seconds_in_words(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string rounds_in_words(std::uint32_t count) {
  return count == 1 ? "1 round" : std::to_string(count) + " rounds";
}

/// Whose weights the status of the job names, for people.
std::string kept_weights(const Job& job) {
  if (job.finished.empty()) {
    return "the initial weights are kept";
  }
  const std::size_t round = job.best_round > 0 ? job.best_round : job.finished.size();
  return "the weights of round " + std::to_string(round) + " are kept";
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy)
    : options_(options), policy_(std::move(policy)), jitter_(options.seed) {
  options_.capacity_timeout = std::min<Duration>(options_.capacity_timeout, kCapacityTimeoutMax);
}

Actions Scheduler::submit(JobSubmission submission, TimePoint now) {
  const std::vector<std::uint64_t>& rows = submission.shard_rows;
  GRADMILL_CHECK(!rows.empty() && rows.size() == submission.specification->shards.size());
  GRADMILL_CHECK(std::find(rows.begin(), rows.end(), 0U) == rows.end());
  GRADMILL_CHECK(submission.specification->rounds > 0);
  Job job;
  job.id = std::move(submission.id);
  job.specification = std::move(submission.specification);
  job.digest = job_digest(*job.specification);
  job.shard_rows = std::move(submission.shard_rows);
  job.weights = std::move(submission.weights);
  job.round_weights = job.weights;
  job.server = std::make_shared<const ml::ServerState>();
  jobs_.add(std::move(job));
  Actions actions;
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::end(const std::string& id, JobState state, const JobEnd& why, TimePoint now) {
  GRADMILL_CHECK(has_ended(state));
  Actions actions;
  Job* const job = jobs_.find(id);
  if (job != nullptr && !has_ended(job->state)) {
    end_job(*job, state, why, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::node_up(NodeId node, const NodeHello& hello, TimePoint now) {
  Actions actions;
  const bool is_new = nodes_.at(node).hello.incarnation != hello.incarnation;
  nodes_.up(node, hello);
  if (is_new || !nodes_.at(node).alive) {
    release_node(node, now, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::node_down(NodeId node, const std::string& why, TimePoint now) {
  Actions actions;
  nodes_.down(node, why);
  release_node(node, now, actions);
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_accepted(const TaskId& task, TimePoint now) {
  Job* const job = holder_of(task);
  if (job != nullptr && job->round->accept(task.shard, task.offer)) {
    nodes_.accepted(job->round->task(task.shard).node);
  }
  Actions actions;
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_refused(NodeId node, const TaskId& task, TimePoint now) {
  nodes_.answered(node, task);
  nodes_.refused(node);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    job->round->refuse(task.shard, now);
    ++job->tallies[node].refused;
    ++job->version;
    end_if_hopeless(*job, task.shard, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_done(NodeId node, const TaskId& task, TaskResult result, TimePoint now) {
  nodes_.answered(node, task);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    const Duration taken = now - job->round->task(task.shard).offered_at;
    const Verdict verdict = job->round->complete(task.shard, task.offer, std::move(result), now);
    GRADMILL_CHECK(verdict == Verdict::kCounted);
    nodes_.finished(node, taken, job->shard_rows[task.shard], now);
    ++job->tallies[node].tasks;
    ++job->version;
    advance_if_complete(*job, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_failed(NodeId node,
                               const TaskId& task,
                               const std::string& why,
                               TimePoint now) {
  nodes_.answered(node, task);
  nodes_.fault(node, why, now);
  reclaim_queue(node, now);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    job->round->fail(task.shard, nodes_.at(node).address.text() + ": " + why, now);
    ++job->tallies[node].failed;
    ++job->version;
    end_if_hopeless(*job, task.shard, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_diverged(NodeId node, const TaskId& task, TimePoint now) {
  nodes_.answered(node, task);
  Actions actions;
  if (Job* const job = holder_of(task)) {
    job->round->diverge(task.shard, now);
    ++job->version;
    end_if_diverged(*job, task.shard, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::task_lost(NodeId node,
                             const TaskId& task,
                             const std::optional<std::string>& fault,
                             TimePoint now) {
  nodes_.answered(node, task);
  if (fault) {
    nodes_.fault(node, *fault, now);
    reclaim_queue(node, now);
  }
  Actions actions;
  if (Job* const job = holder_of(task)) {
    if (fault) {
      job->round->lose(task.shard, now);
      ++job->tallies[node].failed;
    } else {
      job->round->give_back(task.shard, now);
      nodes_.busy(node, now + backoff(nodes_.at(node).busy_in_a_row, jitter_));
      reclaim_queue(node, now);
    }
    ++job->version;
    end_if_hopeless(*job, task.shard, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::round_advanced(const std::string& id,
                                  std::uint32_t round,
                                  RoundStep step,
                                  TimePoint now) {
  Actions actions;
  if (is_advancing(id, round)) {
    Job& job = *jobs_.running();
    AdvancedRound& advanced = job.advanced.emplace_back();
    advanced.report = job.round->report(nodes_, now);
    advanced.report.aggregate = step.seconds;
    advanced.weights = step.weights;
    job.round_weights = std::move(step.weights);
    job.server = std::move(step.server);
    job.advancing = false;
    ++job.version;
    actions.emplace_back(ValidateRound{id, round, job.specification, job.round_weights});
    if (round < job.specification->rounds) {
      job.round.emplace(round + 1, job.shard_rows.size(), now);
    } else {
      conclude(job, {JobState::kSucceeded, {"succeeded", "all rounds are done"}}, actions);
    }
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::round_diverged(const std::string& id, std::uint32_t round, TimePoint now) {
  Actions actions;
  if (is_advancing(id, round)) {
    conclude(*jobs_.running(),
             {JobState::kFailed,
              {"diverged",
               "the weights are no longer finite after round " + std::to_string(round) +
                   "; a smaller eta may help"}},
             actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::round_validated(const std::string& id,
                                   std::uint32_t round,
                                   const RoundValidation& validation,
                                   TimePoint now) {
  Actions actions;
  Job* const job = jobs_.running();
  const bool is_due = job != nullptr && job->id == id && !job->advanced.empty() &&
                      job->advanced.front().report.round == round;
  if (is_due) {
    AdvancedRound advanced = std::move(job->advanced.front());
    job->advanced.pop_front();
    RoundReport& report = job->finished.emplace_back(std::move(advanced.report));
    report.validation_error = validation.error;
    report.validate = validation.seconds;
    const std::uint32_t patience = job->specification->early_stop;
    const bool is_best = job->best_round == 0 ||
                         validation.error < job->finished[job->best_round - 1].validation_error;
    if (patience == 0 || is_best) {
      job->weights = std::move(advanced.weights);
      job->best_round = patience > 0 ? round : 0;
    }
    ++job->version;
    const bool stops = patience > 0 && round - job->best_round >= patience;
    if (stops && round < job->specification->rounds) {
      end_job(*job,
              JobState::kSucceeded,
              {"succeeded",
               "stopped early: " + rounds_in_words(patience) +
                   " without a lower validation error than that of round " +
                   std::to_string(job->best_round)},
              actions);
    } else {
      end_if_concluded(*job, actions);
    }
    advance_if_complete(*job, actions);
  }
  dispatch(now, actions);
  return actions;
}

Actions Scheduler::tick(TimePoint now) {
  Actions actions;
  dispatch(now, actions);
  return actions;
}

std::optional<TimePoint> Scheduler::wakeup(TimePoint now) const {
  const Job* const job = jobs_.running();
  if (job == nullptr || !job->round || job->round->complete()) {
    return std::nullopt;
  }
  const Round& round = *job->round;
  std::optional<TimePoint> earliest;
  const auto consider = [&](TimePoint time) {
    if (time > now) {
      earliest = earliest ? std::min(*earliest, time) : time;
    }
  };
  if (round.accepted() == 0) {
    consider(round.idle_since() + options_.capacity_timeout);
  }
  for (const std::uint32_t shard : round.choosy()) {
    consider(round.task(shard).forgiven_at.value_or(now));
  }
  for (NodeId node = 0; node < nodes_.size() && !round.pending().empty(); ++node) {
    if (nodes_.at(node).alive) {
      consider(nodes_.usable_from(node));
    }
  }
  if (holds_back(round, now)) {
    consider(now + kHoldMax);
  }
  return earliest;
}

bool Scheduler::holds_back(const Round& round, TimePoint now) const {
  const std::vector<NodeView> views = nodes_.views({}, {}, now);
  return std::any_of(views.begin(), views.end(), [&](const NodeView& view) {
    return view.in_flight < view.slots && round.wants(view.id);
  });
}

std::string Scheduler::hindrance(const Job& job, TimePoint /*now*/) const {
  const bool waits = job.round && !job.round->complete() && job.round->offered() == 0;
  return waits ? "no node can take a task: " + nodes_.in_words(job.tallies) : "";
}

Job* Scheduler::holder_of(const TaskId& task) {
  Job* const job = jobs_.running();
  const bool holds = job != nullptr && job->id == task.job && job->round &&
                     job->round->number() == task.round &&
                     job->round->is_current(task.shard, task.offer);
  return holds ? job : nullptr;
}

void Scheduler::dispatch(TimePoint now, Actions& actions) {
  start_next(now);
  Job* job = jobs_.running();
  while (job != nullptr && out_of_capacity(*job, now)) {
    end_job(*job,
            JobState::kFailed,
            {"no_capacity",
             "no node accepted a task for " + seconds_in_words(options_.capacity_timeout) + ": " +
                 nodes_.in_words(job->tallies)},
            actions);
    start_next(now);
    job = jobs_.running();
  }
  if (job != nullptr && job->round) {
    assign_pending(*job, now);
    offer_queued(*job, now, actions);
  }
}

void Scheduler::start_next(TimePoint now) {
  Job* const job = jobs_.first();
  if (job != nullptr && job->state == JobState::kPending) {
    job->state = JobState::kRunning;
    job->round.emplace(1, job->shard_rows.size(), now);
    ++job->version;
  }
}

void Scheduler::assign_pending(Job& job, TimePoint now) {
  Round& round = *job.round;
  for (auto next = round.choosy().begin(); next != round.choosy().end();) {
    const std::uint32_t shard = *next++;
    if (round.task(shard).forgiven_at.value_or(TimePoint::max()) <= now) {
      round.forgive(shard);
    }
    if (!assign(job, shard, now) && !round.task(shard).refused_by.empty() &&
        !round.task(shard).forgiven_at) {
      round.back_off(shard, now + backoff(round.task(shard).backoffs, jitter_));
    }
  }
  for (auto next = round.pending().begin(); next != round.pending().end();) {
    const std::uint32_t shard = *next++;
    if (!round.choosy().contains(shard) && !assign(job, shard, now)) {
      break;  // Nothing stood in this task's way, so the others will not find a node either.
    }
  }
}

bool Scheduler::assign(Job& job, std::uint32_t shard, TimePoint now) {
  const Round::Task& task = job.round->task(shard);
  const std::optional<NodeId> node = policy_->pick(
      nodes_.views(job.round->closed_to(shard), task.failed_on, now), job.round->pending().size());
  if (node) {
    job.round->queue(shard, *node);
    nodes_.enqueue(*node, shard);
  }
  return node.has_value();
}

void Scheduler::offer_queued(Job& job, TimePoint now, Actions& actions) {
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    while (const std::optional<std::uint32_t> shard = nodes_.dequeue(node)) {
      job.round->offer(*shard, now);
      OfferTask& action = std::get<OfferTask>(actions.emplace_back(OfferTask{node, {}}));
      action.offer.id = job.round->id(job.id, *shard);
      action.offer.job_digest = job.digest;
      action.offer.job = job.specification;
      action.offer.shard = job.specification->shards[*shard];
      action.offer.weights = job.round_weights;
      action.offer.load_rule = policy_->load_rule();
      nodes_.offer(node, action.offer.id);
    }
  }
}

void Scheduler::reclaim_queue(NodeId node, TimePoint now) {
  for (const std::uint32_t shard : nodes_.take_queue(node)) {
    jobs_.running()->round->give_back(shard, now);
  }
}

void Scheduler::release_node(NodeId node, TimePoint now, Actions& actions) {
  reclaim_queue(node, now);
  Job* const job = jobs_.running();
  for (std::uint32_t shard = 0; job != nullptr && job->round && shard < job->round->size();
       ++shard) {
    const Round::Task& task = job->round->task(shard);
    if (task.place == Round::Place::kOffered && task.node == node) {
      actions.emplace_back(CancelTask{node, job->round->id(job->id, shard)});
      job->round->lose(shard, now);
      ++job->tallies[node].failed;
      ++job->version;
      end_if_hopeless(*job, shard, actions);
    }
    if (job->round) {
      end_if_diverged(*job, shard, actions);  // The others alive may all have said so.
    }
  }
}

bool Scheduler::is_advancing(const std::string& id, std::uint32_t round) const {
  const Job* const job = jobs_.running();
  return job != nullptr && job->id == id && job->advancing && job->round->number() == round;
}

void Scheduler::advance_if_complete(Job& job, Actions& actions) const {
  if (!job.round || !job.round->complete() || job.advancing ||
      job.advanced.size() >= kAdvancedMax) {
    return;
  }
  job.advancing = true;
  AdvanceRound advance;
  advance.job = job.id;
  advance.round = job.round->number();
  advance.specification = job.specification;
  advance.weights = job.round_weights;
  advance.rows = job.shard_rows;
  advance.deltas = job.round->deltas();
  advance.server = job.server;
  actions.emplace_back(std::move(advance));
}

bool Scheduler::out_of_capacity(const Job& job, TimePoint now) const {
  return job.round && !job.round->complete() && job.round->accepted() == 0 &&
         now - job.round->idle_since() >= options_.capacity_timeout;
}

void Scheduler::end_if_hopeless(Job& job, std::uint32_t shard, Actions& actions) {
  if (std::optional<JobEnd> end = job.round->hopeless(shard, nodes_)) {
    end_job(job, JobState::kFailed, *std::move(end), actions);
  }
}

void Scheduler::end_if_diverged(Job& job, std::uint32_t shard, Actions& actions) {
  if (job.round->diverged(shard, nodes_)) {
    conclude(job,
             {JobState::kFailed,
              {"diverged",
               "the loss of shard " + std::to_string(shard + 1) + " is no longer finite in round " +
                   std::to_string(job.round->number()) + "; a smaller eta may help"}},
             actions);
  }
}

void Scheduler::conclude(Job& job, JobConclusion conclusion, Actions& actions) {
  drop_round(job, actions);
  job.conclusion = std::move(conclusion);
  ++job.version;
  end_if_concluded(job, actions);
}

void Scheduler::end_if_concluded(Job& job, Actions& actions) {
  if (!job.conclusion || !job.advanced.empty()) {
    return;
  }
  JobConclusion conclusion = *std::move(job.conclusion);
  if (conclusion.state == JobState::kFailed) {
    conclusion.end.message += "; " + kept_weights(job);
  } else if (job.best_round > 0) {
    conclusion.end.message +=
        "; round " + std::to_string(job.best_round) + " has the lowest validation error";
  }
  end_job(job, conclusion.state, std::move(conclusion.end), actions);
}

void Scheduler::drop_round(Job& job, Actions& actions) {
  if (job.round) {
    for (std::uint32_t shard = 0; shard < job.round->size(); ++shard) {
      if (job.round->task(shard).place == Round::Place::kOffered) {
        actions.emplace_back(CancelTask{job.round->task(shard).node, job.round->id(job.id, shard)});
      }
    }
    for (NodeId node = 0; node < nodes_.size(); ++node) {
      static_cast<void>(nodes_.take_queue(node));
    }
  }
  job.round.reset();
  job.advancing = false;
  job.round_weights = {};
}

void Scheduler::end_job(Job& job, JobState state, JobEnd end, Actions& actions) {
  drop_round(job, actions);
  job.state = state;
  job.end = std::move(end);
  job.advanced.clear();
  job.conclusion.reset();
  job.server.reset();
  ++job.version;
  actions.emplace_back(JobEnded{job.id, job.specification, job.weights});
  job.weights.bytes.reset();
  jobs_.leave_line(job.id);
  jobs_.forget(kEndedJobsKept, [this](const std::string& id) { return nodes_.owes(id); });
}

void Scheduler::check_invariants(const Job& job) const {
  const std::size_t passed = job.finished.size() + job.advanced.size();
  for (std::size_t n = 0; n < job.advanced.size(); ++n) {
    GRADMILL_CHECK(job.advanced[n].report.round == job.finished.size() + n + 1);
  }
  GRADMILL_CHECK(job.advanced.size() <= kAdvancedMax && job.weights.bytes != nullptr);
  GRADMILL_CHECK(job.round.has_value() != job.conclusion.has_value());
  GRADMILL_CHECK(!job.conclusion || (!job.advancing && !job.advanced.empty()));
  GRADMILL_CHECK((job.best_round > 0) ==
                 (job.specification->early_stop > 0 && !job.finished.empty()));
  if (job.round) {
    GRADMILL_CHECK(job.round->number() == passed + 1);
    GRADMILL_CHECK(!job.advancing || job.round->complete());
    GRADMILL_CHECK(job.advancing || !job.round->complete() || job.advanced.size() == kAdvancedMax);
    job.round->check_invariants();
    job.round->check_invariants(job.id, nodes_);
  }
}

void Scheduler::check_invariants() const {
  jobs_.check_invariants();
  if (const Job* const job = jobs_.running()) {
    check_invariants(*job);
  }
}

}  // namespace gradmill::coordinator
