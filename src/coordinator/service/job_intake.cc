#include "coordinator/service/job_intake.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/error.h"
#include "formats/model_file.h"
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

/// Counts the rows of each shard, and checks that the model can take them.
std::vector<std::uint64_t> checked_rows(const PredictionPlan& plan,
                                        const std::vector<BlobRef>& shards,
                                        BlobCache& blobs) {
  std::vector<std::uint64_t> rows;
  const auto labels = static_cast<std::uint32_t>(plan.model.labels.size());
  for (std::size_t n = 0; n < shards.size(); ++n) {
    const std::string what = "shard " + std::to_string(n + 1);
    ml::Shard shard;
    try {
      shard = pinned_shard(shards[n], blobs);
    } catch (const Error& error) {
      throw invalid_input(what + ": " + error.what());
    }
    if (shard.features != plan.model.features) {
      throw invalid_input(what + " has " + std::to_string(shard.features) +
                          " features; the model has " + std::to_string(plan.model.features));
    }
    if (shard.classes > labels + 1) {  // One more stands for labels that it does not know.
      throw invalid_input(what + " has label " + std::to_string(shard.classes - 1) +
                          "; the model has " + std::to_string(labels) + " classes");
    }
    const std::uint64_t element =
        std::holds_alternative<std::vector<float>>(shard.values) ? sizeof(float) : 1;
    check_batch_bytes(std::min(plan.batch_rows, shard.rows), shard.features * element);
    rows.push_back(shard.rows);
  }
  return rows;
}

/// The model file, which must be what the plan says of it.
Blob checked_model(const PredictionPlan& plan, const Blob& file) {
  const formats::ModelFile model = formats::decode_model(*file.bytes, "the model");
  if (model.topology.features() != plan.model.features ||
      model.topology.classes() != plan.model.labels.size()) {
    throw invalid_input("the model has " + std::to_string(model.topology.features()) +
                        " features and " + std::to_string(model.topology.classes()) +
                        " classes; the job says otherwise");
  }
  return file;
}

std::vector<Blob> found_blobs(const JobSpecification& specification, BlobCache& blobs) {
  std::vector<Blob> found;
  for (const BlobRef& ref : specification.blobs()) {
    if (std::optional<Blob> blob = blobs.find(ref.digest)) {
      found.push_back(*std::move(blob));
    }
  }
  return found;
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
  submission.blobs = found_blobs(*specification, blobs);
  submission.specification = std::move(specification);
  return submission;
}

JobSubmission admit_prediction(const std::string& id,
                               std::shared_ptr<const JobSpecification> specification,
                               const Blob& model_file,
                               BlobCache& blobs) {
  check_job_id(id);
  const PredictionPlan& plan = specification->prediction.value();
  JobSubmission submission;
  submission.id = id;
  submission.shard_rows = checked_rows(plan, specification->shards, blobs);
  submission.weights = checked_model(plan, model_file);
  submission.blobs = found_blobs(*specification, blobs);
  submission.specification = std::move(specification);
  return submission;
}

void check_batch_bytes(std::uint32_t rows, std::uint64_t row_bytes) {
  if (rows * row_bytes > kBatchBytesMax) {
    throw invalid_input("a batch of " + std::to_string(rows) + " rows has " +
                        std::to_string(rows * row_bytes) + " bytes; at most " +
                        std::to_string(std::max<std::uint64_t>(1, kBatchBytesMax / row_bytes)) +
                        " such rows fit in one");
  }
}

ml::Shard pinned_shard(const BlobRef& ref, BlobCache& blobs) {
  const std::optional<Blob> blob = blobs.find(ref.digest);
  if (!blob) {
    throw Error(ErrorCode::kUnavailable, "the shard is no longer here");
  }
  return formats::decode_shard(*blob->bytes);
}

}  // namespace gradmill::coordinator
