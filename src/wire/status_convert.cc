#include "wire/status_convert.h"

#include <cmath>
#include <optional>

#include "wire/prediction_convert.h"
#include "wire/scheduling_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr EnumTable<gradmill::JobState, JobState::type, 7> kStates = {{
    {gradmill::JobState::kPending, JobState::PENDING},
    {gradmill::JobState::kRunning, JobState::RUNNING},
    {gradmill::JobState::kRecovering, JobState::RECOVERING},
    {gradmill::JobState::kPaused, JobState::PAUSED},
    {gradmill::JobState::kSucceeded, JobState::SUCCEEDED},
    {gradmill::JobState::kFailed, JobState::FAILED},
    {gradmill::JobState::kCancelled, JobState::CANCELLED},
}};

constexpr EnumTable<gradmill::JobCommand, JobCommand::type, 3> kCommands = {{
    {gradmill::JobCommand::kCancel, JobCommand::CANCEL},
    {gradmill::JobCommand::kPause, JobCommand::PAUSE},
    {gradmill::JobCommand::kResume, JobCommand::RESUME},
}};

double finite_from(double value, const char* field) {
  if (!std::isfinite(value)) {
    throw invalid_input(std::string(field) + " is not finite");
  }
  return value;
}

std::optional<double> error_from(bool given, double value) {
  if (!given) {
    return std::nullopt;
  }
  if (!(value >= 0 && value <= 1)) {
    throw invalid_input("a validation error is none");
  }
  return value;
}

std::string asked_from(const std::string& asked) {
  if (!asked.empty() && asked != "cancel" && asked != "pause") {
    throw invalid_input("what was asked of the job is unknown");
  }
  return asked;
}

TaskReport to_wire(const gradmill::TaskReport& task) {
  TaskReport to;
  to.shard = static_cast<std::int32_t>(task.shard);
  to.node = task.node;
  to.transfer = task.transfer;
  to.compute = task.compute;
  to.wait = task.wait;
  to.epochs = static_cast<std::int32_t>(task.epochs);
  to.loss = task.loss;
  to.offers = static_cast<std::int32_t>(task.offers);
  return to;
}

gradmill::TaskReport task_report_from(const TaskReport& task) {
  return {.shard = unsigned_from<std::uint32_t>(task.shard, "a shard"),
          .node = task.node,
          .transfer = finite_from(task.transfer, "a task's transfer"),
          .compute = finite_from(task.compute, "a task's compute"),
          .wait = finite_from(task.wait, "a task's wait"),
          .epochs = unsigned_from<std::uint32_t>(task.epochs, "a number of epochs"),
          .loss = finite_from(task.loss, "a task's loss"),
          .offers = unsigned_from<std::uint32_t>(task.offers, "a number of offers")};
}

RoundReport to_wire(const gradmill::RoundReport& report) {
  RoundReport to;
  to.round = static_cast<std::int32_t>(report.round);
  if (report.validation_error) {
    to.__set_validation_error(*report.validation_error);
  }
  to.seconds = report.seconds;
  to.aggregate = report.aggregate;
  to.validate = report.validate;
  for (const gradmill::TaskReport& task : report.tasks) {
    to.tasks.push_back(to_wire(task));
  }
  to.missing.assign(report.missing.begin(), report.missing.end());
  return to;
}

gradmill::RoundReport report_from(const RoundReport& report) {
  gradmill::RoundReport to;
  to.round = unsigned_from<std::uint32_t>(report.round, "a round");
  to.validation_error = error_from(report.__isset.validation_error, report.validation_error);
  to.seconds = finite_from(report.seconds, "a round's seconds");
  to.aggregate = finite_from(report.aggregate, "a round's aggregate");
  to.validate = finite_from(report.validate, "a round's validate");
  for (const TaskReport& task : report.tasks) {
    to.tasks.push_back(task_report_from(task));
  }
  for (const std::int32_t shard : report.missing) {
    to.missing.push_back(unsigned_from<std::uint32_t>(shard, "a missing shard"));
  }
  return to;
}

NodeReport to_wire(const gradmill::NodeReport& node) {
  NodeReport to;
  to.node = node.node;
  to.tasks = static_cast<std::int64_t>(node.tasks);
  to.refused = static_cast<std::int64_t>(node.refused);
  to.failed = static_cast<std::int64_t>(node.failed);
  return to;
}

gradmill::NodeReport node_report_from(const NodeReport& node) {
  return {.node = node.node,
          .tasks = unsigned_from<std::uint64_t>(node.tasks, "a number of tasks"),
          .refused = unsigned_from<std::uint64_t>(node.refused, "refusals"),
          .failed = unsigned_from<std::uint64_t>(node.failed, "failures")};
}

/// Of a JobStatus or JobSummary.
template <class M>
std::optional<gradmill::PredictionStatus> prediction_from(const M& message) {
  return message.__isset.prediction ? std::optional(prediction_status_from(message.prediction))
                                    : std::nullopt;
}

JobSummary to_wire(const gradmill::JobSummary& job) {
  JobSummary to;
  to.job_id = job.job;
  to.state = wire::to_wire(job.state);
  to.round = static_cast<std::int32_t>(job.round);
  to.rounds = static_cast<std::int32_t>(job.rounds);
  to.shards = static_cast<std::int32_t>(job.shards);
  if (job.validation_error) {
    to.__set_validation_error(*job.validation_error);
  }
  to.submitted_ms = job.submitted_ms;
  to.ended_ms = job.ended_ms;
  to.reason = job.reason;
  to.message = job.message;
  to.exact = job.exact;
  to.priority = job.share.priority;
  to.weight = static_cast<std::int32_t>(job.share.weight);
  if (job.prediction) {
    to.__set_prediction(wire::to_wire(*job.prediction));
  }
  to.__set_scheduling(wire::to_wire(job.scheduling));
  to.tasks = static_cast<std::int64_t>(job.tasks);
  to.registered = job.registered;
  return to;
}

gradmill::JobSummary summary_from(const JobSummary& job) {
  gradmill::JobSummary to;
  to.job = job.job_id;
  to.state = job_state_from(job.state);
  to.round = unsigned_from<std::uint32_t>(job.round, "the round");
  to.rounds = unsigned_from<std::uint32_t>(job.rounds, "the number of rounds");
  to.shards = unsigned_from<std::uint32_t>(job.shards, "the number of shards");
  to.validation_error = error_from(job.__isset.validation_error, job.validation_error);
  to.submitted_ms = time_from(job.submitted_ms, "the time of submission");
  to.ended_ms = time_from(job.ended_ms, "the time of the end");
  to.reason = job.reason;
  to.message = job.message;
  to.exact = job.exact;
  to.share = {.priority = job.priority,
              .weight = unsigned_from<std::uint32_t>(job.weight, "the weight")};
  to.prediction = prediction_from(job);
  if (job.__isset.scheduling) {
    to.scheduling = scheduling_from(job.scheduling);
  }
  to.tasks = unsigned_from<std::uint64_t>(job.tasks, "the number of tasks");
  to.registered = job.registered;
  return to;
}

}  // namespace

JobState::type to_wire(gradmill::JobState state) { return to_wire(state, kStates); }

gradmill::JobState job_state_from(JobState::type state) {
  return enum_from(state, kStates, "the state of the job");
}

JobStatus to_wire(const gradmill::JobStatus& status) {
  JobStatus to;
  to.job_id = status.job;
  to.version = static_cast<std::int64_t>(status.version);
  to.state = to_wire(status.state);
  to.ahead = static_cast<std::int32_t>(status.ahead);
  to.rounds = static_cast<std::int32_t>(status.rounds);
  to.round = static_cast<std::int32_t>(status.round);
  to.shards = static_cast<std::int32_t>(status.shards);
  to.shards_done = static_cast<std::int32_t>(status.shards_done);
  for (const gradmill::RoundReport& report : status.finished) {
    to.finished.push_back(to_wire(report));
  }
  for (const gradmill::NodeReport& node : status.nodes) {
    to.nodes.push_back(to_wire(node));
  }
  to.reason = status.reason;
  to.message = status.message;
  to.parameters = to_wire(status.parameters);
  to.notice = status.notice;
  to.best_round = static_cast<std::int32_t>(status.best_round);
  to.exact = status.exact;
  to.submitted_ms = status.submitted_ms;
  to.ended_ms = status.ended_ms;
  to.asked = status.asked;
  if (status.prediction) {
    to.__set_prediction(wire::to_wire(*status.prediction));
  }
  to.registered = status.registered;
  return to;
}

gradmill::JobStatus status_from(const JobStatus& status) {
  gradmill::JobStatus to;
  to.job = status.job_id;
  to.version = unsigned_from<std::uint64_t>(status.version, "the version");
  to.state = job_state_from(status.state);
  to.ahead = unsigned_from<std::uint32_t>(status.ahead, "the number of jobs ahead");
  to.rounds = unsigned_from<std::uint32_t>(status.rounds, "the number of rounds");
  to.round = unsigned_from<std::uint32_t>(status.round, "the round");
  to.shards = unsigned_from<std::uint32_t>(status.shards, "the number of shards");
  to.shards_done = unsigned_from<std::uint32_t>(status.shards_done, "the shards done");
  for (const RoundReport& report : status.finished) {
    to.finished.push_back(report_from(report));
  }
  for (const NodeReport& node : status.nodes) {
    to.nodes.push_back(node_report_from(node));
  }
  to.reason = status.reason;
  to.message = status.message;
  to.parameters = blob_from(status.parameters, "the parameters");
  to.notice = status.notice;
  to.best_round = unsigned_from<std::uint32_t>(status.best_round, "the best round");
  to.exact = status.exact;
  to.submitted_ms = time_from(status.submitted_ms, "the time of submission");
  to.ended_ms = time_from(status.ended_ms, "the time of the end");
  to.asked = asked_from(status.asked);
  to.prediction = prediction_from(status);
  to.registered = status.registered;
  return to;
}

JobCommand::type to_wire(gradmill::JobCommand command) { return to_wire(command, kCommands); }

gradmill::JobCommand command_from(JobCommand::type command) {
  return enum_from(command, kCommands, "the command");
}

ControlJobResponse to_wire(const std::string& job, const gradmill::JobControl& control) {
  ControlJobResponse to;
  to.job_id = job;
  to.state = to_wire(control.state);
  to.asked = control.asked;
  return to;
}

gradmill::JobControl control_from(const ControlJobResponse& response) {
  return {.state = job_state_from(response.state), .asked = asked_from(response.asked)};
}

ListJobsResponse to_wire(const std::vector<gradmill::JobSummary>& jobs) {
  ListJobsResponse to;
  to.jobs.reserve(jobs.size());
  for (const gradmill::JobSummary& job : jobs) {
    to.jobs.push_back(to_wire(job));
  }
  return to;
}

std::vector<gradmill::JobSummary> summaries_from(const ListJobsResponse& response) {
  std::vector<gradmill::JobSummary> to;
  to.reserve(response.jobs.size());
  for (const JobSummary& job : response.jobs) {
    to.push_back(summary_from(job));
  }
  return to;
}

}  // namespace gradmill::wire
