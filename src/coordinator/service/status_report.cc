#include "coordinator/service/status_report.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kTasksMax = 20'000;
constexpr std::size_t kRoundsMaxPerAnswer = 10'000;

}  // namespace

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
  } else if (job.state == JobState::kRunning) {
    // Nothing is left to train: the last round waits for its validation.
    status.round = static_cast<std::uint32_t>(job.finished.size() + job.advanced.size());
    status.shards_done = status.shards;
  }
  std::size_t tasks = 0;
  for (std::size_t n = query.rounds_known; n < job.finished.size(); ++n) {
    const RoundReport& report = job.finished[n];
    tasks += query.with_tasks ? report.tasks.size() : 0;
    if (!status.finished.empty() &&
        (tasks > kTasksMax || status.finished.size() >= kRoundsMaxPerAnswer)) {
      break;
    }
    RoundReport& copy = status.finished.emplace_back();
    copy = {.round = report.round,
            .validation_error = report.validation_error,
            .seconds = report.seconds,
            .aggregate = report.aggregate,
            .validate = report.validate,
            .tasks = {}};
    if (query.with_tasks) {
      copy.tasks = report.tasks;
    }
  }
  for (NodeId node = 0; node < scheduler.nodes().size(); ++node) {
    const auto found = job.tallies.find(node);
    const NodeTally tally = found == job.tallies.end() ? NodeTally{} : found->second;
    status.nodes.push_back({.node = scheduler.nodes().at(node).address.text(),
                            .tasks = tally.tasks,
                            .refused = tally.refused,
                            .failed = tally.failed});
  }
  status.reason = job.end.reason;
  status.message = job.end.message;
  status.parameters = job.weights.ref;
  status.best_round = job.best_round;
  status.notice = scheduler.hindrance(job, now);
  return status;
}

}  // namespace gradmill::coordinator
