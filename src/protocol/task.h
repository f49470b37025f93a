// Tasks as coordinator and nodes speak of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"

namespace gradmill {

/// One offer of one task. The content of a task is named by (job, round, shard) alone.
struct TaskId {
  std::string job;          ///< The job's id at the coordinator.
  std::uint32_t round = 0;  ///< From 1.
  std::uint32_t shard = 0;  ///< Index in the job's list, from 0.
  std::uint64_t offer = 0;  ///< From 1; new with every offer of this task to any node.

  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

/// What a node's simulated load does to an offer.
enum class LoadRule {
  kDelay,          ///< With the load probability, wait before the work.
  kRefuseOrDelay,  ///< With the load probability refuse; if not, kDelay by an independent draw.
};

/// How an offer stands at a node; the wire protocol says what each means.
enum class TaskState {
  kRunning,
  kDone,
  kRefused,
  kMissing,
  kBusy,
  kFailed,
  kCancelled,
  kNotFound,
  kDiverged,
};

/// Weights and deltas up to this size travel in the calls about a task, larger ones as blobs.
inline constexpr std::uint64_t kInlineBytesMax = std::uint64_t{1} << 20U;

/// A node's answer about an offer.
struct TaskAnswer {
  TaskId task;
  TaskState state = TaskState::kNotFound;
  std::vector<Digest> missing;  ///< kMissing: blobs the node lacks.
  Digest weights;               ///< kDone: what the delta starts from.
  /// kDone: new weights minus old. Up to kInlineBytesMax the answer itself carries the bytes, with
  /// a checksum and no digest; larger ones are fetched by their digest.
  BlobRef delta;
  std::uint64_t delta_checksum = 0;  ///< kDone: of the bytes, if they are inline.
  /// kDone: the bytes of the delta; absent over the wire where it is too large to be inline.
  std::shared_ptr<const std::string> delta_bytes;
  double loss = 0;             ///< kDone: summed cross-entropy; see ml::TrainingResult.
  std::uint32_t epochs = 0;    ///< kDone: whole passes over the shard.
  double compute_seconds = 0;  ///< kDone
  double delay_seconds = 0;    ///< kDone: simulated load.
  std::string message;         ///< kFailed: why, for people.
};

/// Which start of which coordinator sends a request. Nodes refuse lower epochs of the same id.
struct Fence {
  std::string coordinator;  ///< Random; lasts as long as the coordinator's state.
  std::uint64_t epoch = 0;  ///< Rises with each start of the coordinator.
};

/// What a node says of itself on each new connection.
struct NodeHello {
  std::string incarnation;  ///< Random, new with each start of the process.
  std::string kernel_id;    ///< Kernels with equal ids give equal bits.
  std::uint32_t slots = 1;  ///< Tasks it trains at a time.
};

}  // namespace gradmill
