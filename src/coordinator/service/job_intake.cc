#include "coordinator/service/job_intake.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "formats/shard_blob.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"
#include "protocol/specification_check.h"

namespace gradmill::coordinator {
namespace {

/// Decodes a shard of the job and checks it against the topology; `what` names it.
std::uint64_t checked_rows(const std::string& what,
                           const BlobRef& ref,
                           const ml::TrainingRule& rule,
                           BlobCache& blobs) {
  ml::Shard shard;
  try {
    shard = pinned_shard(ref, blobs);
  } catch (const Error& error) {
    throw invalid_input(what + ": " + error.what());
  }
  if (shard.features != rule.topology.features()) {
    throw invalid_input(what + " has " + std::to_string(shard.features) +
                        " features; the job has " + std::to_string(rule.topology.features()));
  }
  if (shard.classes > rule.topology.classes()) {
    throw invalid_input(what + " has label " + std::to_string(shard.classes - 1) +
                        "; the job has " + std::to_string(rule.topology.classes()) + " classes");
  }
  return shard.rows;
}

Blob first_weights(const JobSpecification& specification, BlobCache& blobs) {
  if (!specification.initial_weights) {
    return make_blob(ml::initial_parameter_bytes(specification.rule));
  }
  const std::optional<Blob> weights = blobs.find(specification.initial_weights->digest);
  if (!weights || !ml::all_finite(*weights->bytes, specification.rule.precision)) {
    throw invalid_input("the initial weights are not finite");
  }
  return *weights;
}

}  // namespace

JobSubmission admit_job(const std::string& id,
                        std::shared_ptr<const JobSpecification> specification,
                        BlobCache& blobs) {
  check_job_id(id);
  JobSubmission submission;
  submission.id = id;
  for (std::size_t n = 0; n < specification->shards.size(); ++n) {
    submission.shard_rows.push_back(checked_rows(
        "shard " + std::to_string(n + 1), specification->shards[n], specification->rule, blobs));
  }
  for (std::size_t n = 0; n < specification->validation.size(); ++n) {
    static_cast<void>(checked_rows("validation shard " + std::to_string(n + 1),
                                   specification->validation[n],
                                   specification->rule,
                                   blobs));
  }
  submission.weights = first_weights(*specification, blobs);
  for (const BlobRef& ref : specification->blobs()) {
    if (std::optional<Blob> blob = blobs.find(ref.digest)) {
      submission.blobs.push_back(*std::move(blob));
    }
  }
  submission.specification = std::move(specification);
  return submission;
}

ml::Shard pinned_shard(const BlobRef& ref, BlobCache& blobs) {
  const std::optional<Blob> blob = blobs.find(ref.digest);
  if (!blob) {
    throw Error(ErrorCode::kUnavailable, "the shard is no longer here");
  }
  return formats::decode_shard(*blob->bytes);
}

}  // namespace gradmill::coordinator
