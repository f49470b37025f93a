// What a task asks a node to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/blob.h"
#include "compute_node/prediction/model_shelf.h"
#include "compute_node/worker/blob_inbox.h"
#include "compute_node/worker/sample_cache.h"
#include "ml/trainer.h"
#include "ml/training_rule.h"
#include "protocol/prediction.h"
#include "protocol/task.h"

namespace gradmill::node {

/// The rows of a prediction task, which own their values.
struct RowBatch {
  std::uint64_t first_row = 0;  ///< Of the shard, from 0.
  RawRows rows;                 ///< A view of `values`.
  std::shared_ptr<const std::string> values;
};

/// An offer as a node sees it.
struct TaskRequest {
  TaskId task;
  Digest job_digest;
  ml::TrainingRule rule;
  std::uint32_t rounds = 1;  ///< Of the whole job.
  BlobRef weights;           ///< Of a prediction task the model file.
  BlobRef shard;
  LoadRule load_rule = LoadRule::kDelay;
  std::optional<Blob> weights_blob;  ///< If they came along.
  std::optional<RowBatch> batch{};   ///< A prediction task: then rule and rounds are void.
};

/// What the node keeps from task to task. Each part is thread-safe.
struct TaskStores {
  BlobInbox& inbox;
  SampleCache& samples;
  ModelShelf& models;
};

/// The work of one task, once it has all that it needs.
class TaskWork {
 public:
  TaskWork() = default;
  TaskWork(const TaskWork&) = delete;
  TaskWork& operator=(const TaskWork&) = delete;
  virtual ~TaskWork() = default;

  /// Takes what it needs from where that is kept; returns the blobs that are not there.
  [[nodiscard]] virtual std::vector<Digest> gather() = 0;
  /// Once, after gather() returned nothing. Returns the bytes of the result and fills in what else
  /// the answer says of it, or returns nothing and sets another state than kDone. Throws for what
  /// cannot be worked on.
  [[nodiscard]] virtual std::optional<std::string> compute(ml::Trainer& trainer,
                                                           const std::stop_token& stop,
                                                           TaskAnswer& answer) = 0;
};

/// `request` and `stores` must outlive it.
[[nodiscard]] std::unique_ptr<TaskWork> work_of(const TaskRequest& request,
                                                const TaskStores& stores);

}  // namespace gradmill::node
