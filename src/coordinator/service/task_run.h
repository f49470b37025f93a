// One offer from the first call to its outcome.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "coordinator/ports/node_link.h"

namespace gradmill::coordinator {

/// The node's simulated load refused.
struct TaskRefused {};
/// The node tried and failed, or its result is not valid.
struct TaskFailed {
  LossReason reason = LossReason::kInvalidResult;
  std::string why;
};
/// The loss became infinite.
struct TaskDiverged {};
/// The offer came to nothing through no fault of the task; `fault` says what the node did wrong.
struct TaskLost {
  LossReason reason = LossReason::kCancelled;
  std::optional<std::string> fault;
};

using TaskOutcome = std::variant<TaskRefused, TaskResult, TaskFailed, TaskDiverged, TaskLost>;

/// Which weights a node has been sent since it last lost anything, so that a round's weights go to
/// it once. Thread-safe.
class SentBlobs {
 public:
  /// Notes that the node gets the blob now; true if it had not yet.
  bool mark(const Digest& digest);
  /// The node lacks the blob after all.
  void forget(const Digest& digest);
  /// The node may have lost everything.
  void clear();

 private:
  std::mutex mutex_;
  std::set<Digest> sent_;
};

/// What a run needs to know from outside. Each is called without a lock held.
struct TaskRunHooks {
  std::function<void()> taken;     ///< The node wants it, but lacks blobs.
  std::function<void()> accepted;  ///< The node has begun; perhaps called more than once.
  std::function<bool()> wanted;    ///< Whether the result is still wanted.
  std::function<std::optional<Blob>(const Digest&)> blob;  ///< Looks up what the node lacks.
};

/// Offers, sends what is missing, polls until the end, fetches and checks the result. Cancels the
/// task on the node once it is no longer wanted. Throws nothing.
[[nodiscard]] TaskOutcome run_task(NodeLink& link,
                                   const TaskOffer& offer,
                                   SentBlobs& sent,
                                   const TaskRunHooks& hooks);

}  // namespace gradmill::coordinator
