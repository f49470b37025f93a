#include "coordinator/service/status_report.h"

#include <algorithm>
#include <map>

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kTasksMax = 20'000;
constexpr std::size_t kRoundsMaxPerAnswer = 10'000;

std::optional<PredictionStatus> prediction_status(const Job& job) {
  if (!job.prediction) {
    return std::nullopt;
  }
  const PredictionPlan& plan = *job.specification->prediction;
  return PredictionStatus{.rows = job.prediction->rows,
                          .rows_done = job.prediction->rows_durable,
                          .wrong = job.prediction->wrong_durable,
                          .batch_rows = job.prediction->batch_rows,
                          .labelled = plan.labelled,
                          .model = plan.model.model,
                          .version = plan.model.version};
}

/// Also of members that have done nothing for the job.
std::map<std::string, NodeTally> tallies_of_all(const Scheduler& scheduler, const Job& job) {
  std::map<std::string, NodeTally> all = scheduler.tallies(job);
  for (NodeId node = 0; node < scheduler.nodes().size(); ++node) {
    if (!scheduler.nodes().at(node).forgotten) {
      all.try_emplace(scheduler.nodes().at(node).address.text());
    }
  }
  return all;
}

}  // namespace

std::uint32_t reports_due(const Job& job, const JobQuery& query) {
  const std::size_t per_round = query.with_tasks ? job.shard_rows.size() : 0;
  const std::size_t most = per_round == 0
                               ? kRoundsMaxPerAnswer
                               : std::min(kRoundsMaxPerAnswer, kTasksMax / per_round + 1);
  const std::uint32_t all = job.durable.round;
  return std::min(static_cast<std::uint32_t>(most), all - std::min(all, query.rounds_known));
}

JobStatus report_status(const Scheduler& scheduler,
                        const Job& job,
                        const JobQuery& query,
                        TimePoint now) {
  JobStatus status;
  status.job = job.id;
  status.version = job.version;
  status.state = job.state;
  status.ahead = static_cast<std::uint32_t>(scheduler.ahead(job));
  status.rounds = job.specification->rounds;
  status.shards = static_cast<std::uint32_t>(job.shard_rows.size());
  if (job.round) {
    status.round = job.round->number();
    status.shards_done = static_cast<std::uint32_t>(job.round->done());
  } else if (job.state == JobState::kRunning || job.state == JobState::kRecovering) {
    // Nothing is left to train: the last round waits for its validation.
    status.round = job.rounds_advanced();
    status.shards_done = status.shards;
  }
  if (!job.finished.empty()) {
    const auto begin = job.finished.begin() + std::min(query.rounds_known, job.durable.round);
    status.finished.assign(begin, begin + reports_due(job, query));
  }
  for (const auto& [node, tally] : tallies_of_all(scheduler, job)) {
    status.nodes.push_back(
        {.node = node, .tasks = tally.tasks, .refused = tally.refused, .failed = tally.failed});
  }
  status.reason = job.end.reason;
  status.message = job.end.message;
  status.parameters = job.prediction ? BlobRef{} : job.durable.result().ref;
  status.prediction = prediction_status(job);
  status.best_round = job.durable.best_round;
  status.exact = job.durable.exact;
  status.submitted_ms = job.submitted_ms;
  status.ended_ms = job.ended_ms;
  status.asked = asked_of(job);
  status.notice = scheduler.hindrance(job, now);
  return status;
}

JobDetails report_details(const Scheduler& scheduler, const Job& job, TimePoint now) {
  JobQuery query;
  query.job = job.id;
  query.rounds_known = job.durable.round;
  JobDetails details = {report_status(scheduler, job, query, now),
                        *job.specification,
                        job.shard_rows,
                        {job.model, job.share}};
  details.status.round = job.durable.round;
  return details;
}

JobSummary summarize(const Job& job) {
  JobSummary summary;
  summary.job = job.id;
  summary.share = job.share;
  summary.state = job.state;
  summary.round = job.durable.round;
  summary.rounds = job.specification->rounds;
  summary.shards = static_cast<std::uint32_t>(job.shard_rows.size());
  const auto validated =
      std::find_if(job.finished.rbegin(), job.finished.rend(), [](const RoundReport& report) {
        return report.validation_error.has_value();
      });
  summary.validation_error =
      validated == job.finished.rend() ? job.validation_error : validated->validation_error;
  summary.submitted_ms = job.submitted_ms;
  summary.ended_ms = job.ended_ms;
  summary.reason = job.end.reason;
  summary.message = job.end.message;
  summary.exact = job.durable.exact;
  summary.prediction = prediction_status(job);
  for (const auto& [node, tally] : job.tallies) {
    summary.tasks += tally.tasks;
  }
  for (const auto& [node, tally] : job.earlier_tallies) {
    summary.tasks += tally.tasks;
  }
  return summary;
}

std::string asked_of(const Job& job) {
  if (!job.move || !job.move->by_command) {
    return "";
  }
  return job.move->to == JobState::kPaused ? "pause" : "cancel";
}

std::vector<std::string> expired_jobs(const Scheduler& scheduler,
                                      const Retention& rule,
                                      TimePoint now) {
  std::vector<std::string> ended;
  for (const std::string& id : scheduler.jobs()) {
    if (has_ended(scheduler.find(id)->state)) {
      ended.push_back(id);
    }
  }
  ended.resize(ended.size() - std::min<std::size_t>(ended.size(), rule.jobs));
  const std::int64_t oldest = scheduler.wall_ms(now) - rule.age.count();
  std::erase_if(ended, [&](const std::string& id) {
    return rule.age.count() > 0 && scheduler.find(id)->ended_ms > oldest;
  });
  return ended;
}

}  // namespace gradmill::coordinator
