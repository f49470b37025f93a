#include "wire/job_convert.h"

#include "protocol/specification_check.h"
#include "wire/prediction_convert.h"
#include "wire/status_convert.h"
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

template <class M>
gradmill::JobTerms terms_of(const M& message) {
  return {.model = message.model,
          .share = {.priority = message.priority,
                    .weight = unsigned_from<std::uint32_t>(message.weight, "the weight")}};
}

}  // namespace

JobSpecification to_wire(const gradmill::JobSpecification& specification) {
  JobSpecification to;
  to.rule = to_wire(specification.rule);
  to.server = to_wire(specification.server);
  to.rounds = static_cast<std::int32_t>(specification.rounds);
  to.early_stop = static_cast<std::int32_t>(specification.early_stop);
  to.validate_every = static_cast<std::int32_t>(specification.validate_every);
  to.quorum = static_cast<std::int32_t>(specification.quorum);
  to.round_deadline_ms = specification.round_deadline.count();
  to.shards = to_wire(specification.shards);
  to.validation = to_wire(specification.validation);
  if (specification.initial_weights) {
    to.__set_initial_weights(to_wire(*specification.initial_weights));
  }
  if (specification.prediction) {
    to.__set_prediction(wire::to_wire(*specification.prediction));
  }
  return to;
}

namespace {

gradmill::JobSpecification prediction_job_from(const JobSpecification& specification) {
  gradmill::JobSpecification to;
  to.prediction = plan_from(specification.prediction);
  to.shards = blobs_from(specification.shards, "a shard");
  if (wire::to_wire(to) != specification) {
    throw invalid_input("a prediction job has nothing that is for training");
  }
  return to;
}

}  // namespace

gradmill::JobSpecification specification_from(const JobSpecification& specification) {
  if (specification.__isset.prediction) {
    return prediction_job_from(specification);
  }
  gradmill::JobSpecification to;
  to.rule = rule_from(specification.rule);
  to.server = server_rule_from(specification.server);
  to.rounds = unsigned_from<std::uint32_t>(specification.rounds, "the number of rounds");
  to.validate_every =
      unsigned_from<std::uint32_t>(specification.validate_every, "the rounds between validations");
  to.early_stop =
      unsigned_from<std::uint32_t>(specification.early_stop, "the rounds until an early stop");
  to.quorum = unsigned_from<std::uint32_t>(specification.quorum, "the quorum");
  to.round_deadline = milliseconds_from(specification.round_deadline_ms, "the deadline of a round");
  to.shards = blobs_from(specification.shards, "a shard");
  to.validation = blobs_from(specification.validation, "a validation shard");
  if (specification.__isset.initial_weights) {
    to.initial_weights = blob_from(specification.initial_weights, "the initial weights");
  }
  return to;
}

gradmill::JobTerms terms_from(const SubmitJobRequest& request) { return terms_of(request); }

GetJobResponse to_wire(const gradmill::JobDetails& details) {
  GetJobResponse to;
  to.status = to_wire(details.status);
  to.specification = to_wire(details.specification);
  to.shard_rows.assign(details.shard_rows.begin(), details.shard_rows.end());
  to.model = details.terms.model;
  to.priority = details.terms.share.priority;
  to.weight = static_cast<std::int32_t>(details.terms.share.weight);
  return to;
}

gradmill::JobDetails details_from(const GetJobResponse& response) {
  gradmill::JobDetails details = {.status = status_from(response.status),
                                  .specification = specification_from(response.specification),
                                  .shard_rows = {},
                                  .terms = terms_of(response)};
  for (const std::int64_t rows : response.shard_rows) {
    details.shard_rows.push_back(unsigned_from<std::uint64_t>(rows, "rows of a shard"));
  }
  return details;
}

}  // namespace gradmill::wire
