#include "coordinator/service/job_intake.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "formats/shard_blob.h"
#include "ml/average.h"
#include "ml/train_shard.h"

namespace gradmill::coordinator {
namespace {

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

void check_id(const std::string& id) {
  const bool fine = !id.empty() && id.size() <= 64 && id.front() != '-' && id.front() != '.' &&
                    std::all_of(id.begin(), id.end(), is_id_character);
  if (!fine) {
    throw invalid_input(
        "a job id has 1 to 64 letters, digits, '-', '_' or '.', and starts with a letter or digit");
  }
}

std::uint64_t parameter_bytes(const ml::TrainingRule& rule) {
  return ml::parameter_count(rule.topology) * ml::element_bytes(rule.precision);
}

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

void check_specification(const JobSpecification& specification) {
  const ml::TrainingRule& rule = specification.rule;
  if (ml::parameter_count(rule.topology) == 0) {
    throw invalid_input(
        "the topology breaks a cap: 64 layers, 65536 units a layer, 100000000 parameters");
  }
  if (rule.activation == ml::Activation::kMlPy && rule.topology.layers() != 2) {
    throw invalid_input("activation ml-py is for one hidden layer");
  }
  if (!std::isfinite(rule.eta) || rule.eta <= 0) {
    throw invalid_input("eta must be above 0");
  }
  if (!std::isfinite(rule.min_loss_change) || rule.min_loss_change < 0) {
    throw invalid_input("min-loss-change must be 0 or above");
  }
  if (rule.epochs < 1 || rule.epochs > kEpochsMax) {
    throw invalid_input("epochs must be 1 to " + std::to_string(kEpochsMax));
  }
  if (specification.rounds < 1 || specification.rounds > kRoundsMax) {
    throw invalid_input("rounds must be 1 to " + std::to_string(kRoundsMax));
  }
  if (specification.shards.empty() || specification.shards.size() > kShardsMax) {
    throw invalid_input("a job has 1 to " + std::to_string(kShardsMax) + " training shards");
  }
  if (specification.validation.empty() || specification.validation.size() > kShardsMax) {
    throw invalid_input("a job has 1 to " + std::to_string(kShardsMax) + " validation shards");
  }
  if (specification.initial_weights &&
      specification.initial_weights->bytes != parameter_bytes(rule)) {
    throw invalid_input("the initial weights do not have the size of the topology");
  }
}

JobSubmission admit_job(const std::string& id,
                        std::shared_ptr<const JobSpecification> specification,
                        BlobCache& blobs) {
  check_id(id);
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
