// What the scheduler hands out and takes back.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/job_specification.h"
#include "protocol/task.h"

namespace gradmill::coordinator {

/// A job's number at this start of the coordinator, in order of arrival; never given again.
using JobNumber = std::uint64_t;

/// A task of a job's current round.
struct TaskKey {
  JobNumber job = 0;
  std::uint32_t shard = 0;

  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

/// Rows of a shard.
struct RowRange {
  std::uint64_t first = 0;  ///< From 0.
  std::uint32_t count = 0;

  friend bool operator==(const RowRange&, const RowRange&) = default;
};

/// What a node needs to know to do a task.
struct TaskOffer {
  TaskId id;
  Digest job_digest;
  std::shared_ptr<const JobSpecification> job;
  BlobRef shard;
  Blob weights;  ///< Where the round starts from; of a prediction job the model file.
  std::optional<RowRange> rows{};  ///< A prediction task: of the shard.
  LoadRule load_rule = LoadRule::kDelay;
  /// The node is to say at once that it has begun, since the process of another one ended with it.
  bool prompt = false;
};

/// What a node returned for a task, once it has been checked. Seconds as the node measured them.
struct TaskResult {
  /// New weights minus old, as long as the weights; of a prediction task as in PredictedRange.
  Blob delta;
  std::uint32_t wrong = 0;  ///< Predictions that are not as their rows are labelled.
  double loss = 0;
  std::uint32_t epochs = 0;
  double compute_seconds = 0;
  double delay_seconds = 0;  ///< Simulated load.
};

/// Why an offer came to nothing, as logs and counts name it.
enum class LossReason {
  kInvalidResult,   ///< Its result is not valid.
  kNodeError,       ///< The node says that it cannot do it.
  kConnectionLost,  ///< The connection broke, or the node did not answer as it should.
  kBusy,            ///< The node had no room.
  kNotFound,        ///< The node knows nothing of it.
  kCancelled,       ///< It was cancelled, here or there.
  kOutOfMemory,     ///< We had no memory for it.
  kNodeFailed,      ///< The node failed while it had it.
  kNodeRestarted,   ///< The node's process is another one.
};

[[nodiscard]] std::string_view name_of(LossReason reason);

}  // namespace gradmill::coordinator
