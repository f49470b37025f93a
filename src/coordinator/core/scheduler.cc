#include "coordinator/core/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "coordinator/core/backoff.h"

namespace gradmill::coordinator {
namespace {

// Longer waits are not told from this one, and times stay far from overflow.
constexpr std::chrono::hours kCapacityTimeoutMax{24 * 3650};
// A policy may hold a task for a busy node; it is asked again after this, since views age.
constexpr std::chrono::milliseconds kHoldMax{250};

std::string seconds_in_words(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy)
    : options_(options),
      policy_(std::move(policy)),
      jitter_(options.seed),
      nodes_(options.detection) {
  options_.capacity_timeout = std::min<Duration>(options_.capacity_timeout, kCapacityTimeoutMax);
}

Actions Scheduler::tick(TimePoint now) {
  Actions actions;
  dispatch(now, actions);
  return actions;
}

std::optional<TimePoint> Scheduler::wakeup(TimePoint now) const {
  std::optional<TimePoint> earliest;
  const auto consider = [&](std::optional<TimePoint> time) {
    if (time && *time > now) {
      earliest = earliest ? std::min(*earliest, *time) : *time;
    }
  };
  consider(nodes_.next_judgement());
  const Job* const job = jobs_.running();
  if (job == nullptr || !job->round || job->round->complete()) {
    return earliest;
  }
  const Round& round = *job->round;
  if (!round.has_takers()) {
    consider(round.idle_since() + options_.capacity_timeout);
  }
  if (job->specification->quorum > 0) {
    consider(round.started() + job->specification->round_deadline);
  }
  for (const std::uint32_t shard : round.choosy()) {
    consider(round.task(shard).forgiven_at);
  }
  if (!round.pending().empty()) {
    consider(nodes_.next_usable(now));
  }
  consider(round.next_late());
  if (round.queued() > 0 && nodes_.has_free_slot()) {
    consider(round.next_late_node(now));
    consider(nodes_.next_usable(now));
  }
  if (holds_back(round, now)) {
    consider(now + kHoldMax);
  }
  return earliest;
}

std::string Scheduler::hindrance(const Job& job, TimePoint now) const {
  if (job.move && job.move->by_command) {
    return job.move->durable ? "waits for " + nodes_.debtors_in_words(job.id)
                             : "waits until its change of state is durable";
  }
  if (job.unsaved_since && now - *job.unsaved_since > std::chrono::seconds(1)) {
    return "waits until its last round is durable";
  }
  const bool waits = job.round && !job.round->complete() && job.round->offered() == 0;
  return waits ? "no node can take a task: " + nodes_.in_words(job.tallies) : "";
}

std::map<std::string, NodeTally> Scheduler::tallies(const Job& job) const {
  std::map<std::string, NodeTally> all = job.earlier_tallies;
  for (const auto& [node, tally] : job.tallies) {
    NodeTally& sum = all[nodes_.at(node).address.text()];
    sum.tasks += tally.tasks;
    sum.refused += tally.refused;
    sum.failed += tally.failed;
  }
  return all;
}

void Scheduler::dispatch(TimePoint now, Actions& actions) {
  judge_silence(now, actions);
  start_next(now, actions);
  Job* job = jobs_.running();
  if (job != nullptr && out_of_capacity(*job, now)) {
    begin_move(*job,
               {JobState::kFailed,
                {"no_capacity",
                 "no node accepted a task for " + seconds_in_words(options_.capacity_timeout) +
                     ": " + nodes_.in_words(job->tallies)}},
               now,
               actions);
  }
  if (Job* const first = jobs_.first()) {
    finish_move_if_settled(*first, actions);  // Others wait for no node.
  }
  start_next(now, actions);
  job = jobs_.running();
  if (job == nullptr) {
    return;
  }
  start_round(*job, now);
  if (job->round) {
    end_late_round(*job, now, actions);
    assign_pending(*job, now);
    offer_queued(*job, now, actions);
    relieve_late_nodes(*job, now, actions);
    copy_stragglers(*job, now, actions);
  }
}

void Scheduler::check_invariants() const {
  jobs_.check_invariants();
  if (const Job* const job = jobs_.running()) {
    check_invariants(*job);
  }
  GRADMILL_CHECK(saved_ticket_ <= last_ticket_);
}

}  // namespace gradmill::coordinator
