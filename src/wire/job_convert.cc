#include "wire/job_convert.h"

#include "protocol/specification_check.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

std::vector<BlobRef> to_wire(const std::vector<gradmill::BlobRef>& blobs) {
  std::vector<BlobRef> to;
  to.reserve(blobs.size());
  for (const gradmill::BlobRef& blob : blobs) {
    to.push_back(wire::to_wire(blob));
  }
  return to;
}

std::vector<gradmill::BlobRef> blobs_from(const std::vector<BlobRef>& blobs, const char* field) {
  std::vector<gradmill::BlobRef> to;
  to.reserve(blobs.size());
  for (const BlobRef& blob : blobs) {
    to.push_back(blob_from(blob, field));
  }
  return to;
}

constexpr EnumTable<ml::ServerOptimizer, ServerOptimizer::type, 3> kServerOptimizers = {{
    {ml::ServerOptimizer::kAverage, ServerOptimizer::AVERAGE},
    {ml::ServerOptimizer::kMomentum, ServerOptimizer::MOMENTUM},
    {ml::ServerOptimizer::kAdam, ServerOptimizer::ADAM},
}};

ServerRule to_wire(const ml::ServerRule& rule) {
  ServerRule to;
  to.optimizer = to_wire(rule.optimizer, kServerOptimizers);
  to.eta = rule.eta;
  to.momentum = rule.momentum;
  return to;
}

ml::ServerRule server_rule_from(const ServerRule& rule) {
  ml::ServerRule to;
  to.optimizer = enum_from(rule.optimizer, kServerOptimizers, "the server optimizer");
  to.eta = rule.eta;
  to.momentum = rule.momentum;
  check_server_rule(to);
  return to;
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
    TaskReport& one = to.tasks.emplace_back();
    one.shard = static_cast<std::int32_t>(task.shard);
    one.node = task.node;
    one.transfer = task.transfer;
    one.compute = task.compute;
    one.wait = task.wait;
    one.epochs = static_cast<std::int32_t>(task.epochs);
    one.loss = task.loss;
  }
  return to;
}

gradmill::RoundReport report_from(const RoundReport& report) {
  gradmill::RoundReport to = {.round = unsigned_from<std::uint32_t>(report.round, "a round"),
                              .validation_error = report.__isset.validation_error
                                                      ? std::optional(report.validation_error)
                                                      : std::nullopt,
                              .seconds = report.seconds,
                              .aggregate = report.aggregate,
                              .validate = report.validate,
                              .tasks = {}};
  for (const TaskReport& task : report.tasks) {
    to.tasks.push_back({.shard = unsigned_from<std::uint32_t>(task.shard, "a shard"),
                        .node = task.node,
                        .transfer = task.transfer,
                        .compute = task.compute,
                        .wait = task.wait,
                        .epochs = unsigned_from<std::uint32_t>(task.epochs, "a number of epochs"),
                        .loss = task.loss});
  }
  return to;
}

}  // namespace

JobSpecification to_wire(const gradmill::JobSpecification& specification) {
  JobSpecification to;
  to.rule = to_wire(specification.rule);
  to.server = to_wire(specification.server);
  to.rounds = static_cast<std::int32_t>(specification.rounds);
  to.early_stop = static_cast<std::int32_t>(specification.early_stop);
  to.validate_every = static_cast<std::int32_t>(specification.validate_every);
  to.shards = to_wire(specification.shards);
  to.validation = to_wire(specification.validation);
  if (specification.initial_weights) {
    to.__set_initial_weights(to_wire(*specification.initial_weights));
  }
  return to;
}

gradmill::JobSpecification specification_from(const JobSpecification& specification) {
  gradmill::JobSpecification to;
  to.rule = rule_from(specification.rule);
  to.server = server_rule_from(specification.server);
  to.rounds = unsigned_from<std::uint32_t>(specification.rounds, "the number of rounds");
  to.validate_every =
      unsigned_from<std::uint32_t>(specification.validate_every, "the rounds between validations");
  to.early_stop =
      unsigned_from<std::uint32_t>(specification.early_stop, "the rounds until an early stop");
  to.shards = blobs_from(specification.shards, "a shard");
  to.validation = blobs_from(specification.validation, "a validation shard");
  if (specification.__isset.initial_weights) {
    to.initial_weights = blob_from(specification.initial_weights, "the initial weights");
  }
  return to;
}

JobState::type to_wire(gradmill::JobState state) {
  // The enumerations have the same order; the wire's starts with UNKNOWN.
  return static_cast<JobState::type>(static_cast<int>(state) + 1);
}

gradmill::JobState job_state_from(JobState::type state) {
  if (state < JobState::PENDING || state > JobState::CANCELLED) {
    throw invalid_input("the state of the job is unknown");
  }
  return static_cast<gradmill::JobState>(static_cast<int>(state) - 1);
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
    NodeReport& one = to.nodes.emplace_back();
    one.node = node.node;
    one.tasks = static_cast<std::int64_t>(node.tasks);
    one.refused = static_cast<std::int64_t>(node.refused);
    one.failed = static_cast<std::int64_t>(node.failed);
  }
  to.reason = status.reason;
  to.message = status.message;
  to.parameters = to_wire(status.parameters);
  to.notice = status.notice;
  to.best_round = static_cast<std::int32_t>(status.best_round);
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
    to.nodes.push_back({.node = node.node,
                        .tasks = unsigned_from<std::uint64_t>(node.tasks, "a number of tasks"),
                        .refused = unsigned_from<std::uint64_t>(node.refused, "refusals"),
                        .failed = unsigned_from<std::uint64_t>(node.failed, "failures")});
  }
  to.reason = status.reason;
  to.message = status.message;
  to.parameters = blob_from(status.parameters, "the parameters");
  to.notice = status.notice;
  to.best_round = unsigned_from<std::uint32_t>(status.best_round, "the best round");
  return to;
}

}  // namespace gradmill::wire
