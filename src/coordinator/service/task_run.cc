#include "coordinator/service/task_run.h"

#include <chrono>
#include <stdexcept>

#include "base/error.h"
#include "coordinator/core/round/result_check.h"
#include "coordinator/service/batch_rows.h"
#include "formats/shard_blob.h"

namespace gradmill::coordinator {
namespace {

constexpr std::chrono::milliseconds kWait{1000};
// A node that still lacks blobs after so many deliveries is at fault.
constexpr int kDeliveriesMax = 3;
// Weights up to this size travel in the offer.
constexpr std::size_t kSentKept = 64;

/// The state of one run.
class TaskRun {
 public:
  TaskRun(NodeLink& link, const TaskOffer& offer, SentBlobs& sent, const TaskRunHooks& hooks)
      : link_(link), offer_(offer), sent_(sent), hooks_(hooks) {}

  TaskOutcome run() {
    TaskAnswer answer = send_offer();
    for (;;) {
      if (answer.task != offer_.id) {
        return TaskFailed{LossReason::kInvalidResult, "answered another offer than it was sent"};
      }
      switch (answer.state) {
        case TaskState::kRunning:
          hooks_.accepted();
          if (!hooks_.wanted()) {
            return cancel();
          }
          answer = link_.poll_task(offer_.id, kWait);
          break;
        case TaskState::kMissing:
          hooks_.taken();
          if (!deliver(answer)) {
            return TaskLost{LossReason::kCancelled, std::nullopt};
          }
          answer = send_offer();
          break;
        case TaskState::kDone:
          return finish(answer);
        case TaskState::kRefused:
          return TaskRefused{};
        case TaskState::kFailed:
          return TaskFailed{LossReason::kNodeError, answer.message};
        case TaskState::kDiverged:
          return offer_.rows ? TaskOutcome(TaskFailed{LossReason::kInvalidResult,
                                                      "says that a prediction diverged"})
                             : TaskDiverged{};
        case TaskState::kBusy:
          return TaskLost{LossReason::kBusy, std::nullopt};
        case TaskState::kCancelled:
          return TaskLost{LossReason::kCancelled, std::nullopt};
        case TaskState::kNotFound:
          return TaskLost{LossReason::kNotFound, std::nullopt};
      }
    }
  }

 private:
  TaskOutcome cancel() {
    link_.cancel_task(offer_.id);
    return TaskLost{LossReason::kCancelled, std::nullopt};
  }

  TaskAnswer send_offer() {
    const BlobRef& weights = offer_.weights.ref;
    Enclosure enclosed;
    enclosed.weights = weights.bytes <= kInlineBytesMax && sent_.mark(weights.digest);
    if (offer_.rows) {
      enclosed.rows = rows_of(shard(), *offer_.rows);
    }
    // At once, so that it is known to have begun whatever becomes of its node.
    const std::chrono::milliseconds wait = offer_.prompt ? std::chrono::milliseconds(0) : kWait;
    return link_.run_task(offer_, enclosed, wait);
  }

  /// Sends what the node lacks; false if the job has ended meanwhile.
  bool deliver(const TaskAnswer& answer) {
    if (++deliveries_ > kDeliveriesMax) {
      throw Error(ErrorCode::kFailed, "lacks blobs that it was sent");
    }
    for (const Digest& digest : answer.missing) {
      if (!hooks_.wanted()) {
        return false;
      }
      const bool weights = digest == offer_.weights.ref.digest;
      if (weights && offer_.weights.ref.bytes <= kInlineBytesMax) {
        sent_.forget(digest);  // They go along with the offer.
        continue;
      }
      const std::optional<Blob> blob = weights ? offer_.weights : hooks_.blob(digest);
      if (!blob) {
        throw Error(ErrorCode::kFailed, "asked for a blob that is no part of its task");
      }
      link_.put_blob(*blob);
    }
    return true;
  }

  /// The delta; nothing if its bytes are not those of its name.
  std::optional<Blob> fetch(const TaskAnswer& answer) {
    if (answer.delta_bytes != nullptr) {
      return Blob{{{}, answer.delta_bytes->size()}, answer.delta_bytes};
    }
    try {
      return link_.get_blob(answer.delta);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidInput) {
        throw;
      }
      sent_.clear();
      return std::nullopt;
    }
  }

  TaskOutcome finish(const TaskAnswer& answer) {
    // Checked before anything is fetched: a hostile size costs no memory.
    if (const std::optional<std::string> defect = defect_of_size(answer, offer_)) {
      return TaskFailed{LossReason::kInvalidResult, *defect};
    }
    const std::optional<Blob> fetched = fetch(answer);
    if (!fetched) {
      return TaskFailed{LossReason::kInvalidResult,
                        "sent a delta that is not the one it announced"};
    }
    const Blob& delta = *fetched;
    if (const std::optional<std::string> defect = defect_of(answer, delta, offer_)) {
      return TaskFailed{LossReason::kInvalidResult, *defect};
    }
    return TaskResult{.delta = delta,
                      .wrong = offer_.rows ? wrong_of(shard(), *offer_.rows, *delta.bytes) : 0,
                      .loss = answer.loss,
                      .epochs = answer.epochs,
                      .compute_seconds = answer.compute_seconds,
                      .delay_seconds = answer.delay_seconds};
  }

  /// The shard of a prediction task.
  formats::ShardView shard() {
    if (!shard_) {
      shard_ = hooks_.blob(offer_.shard.digest);
    }
    if (!shard_) {
      throw std::runtime_error("the rows are no longer here");  // The job is ending.
    }
    return formats::view_shard(*shard_->bytes);
  }

  NodeLink& link_;
  const TaskOffer& offer_;
  std::optional<Blob> shard_;
  SentBlobs& sent_;
  const TaskRunHooks& hooks_;
  int deliveries_ = 0;
};

}  // namespace

bool SentBlobs::mark(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (sent_.size() >= kSentKept && !sent_.contains(digest)) {
    sent_.clear();
  }
  return sent_.insert(digest).second;
}

void SentBlobs::forget(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  sent_.erase(digest);
}

void SentBlobs::clear() {
  const std::lock_guard lock(mutex_);
  sent_.clear();
}

TaskOutcome run_task(NodeLink& link,
                     const TaskOffer& offer,
                     SentBlobs& sent,
                     const TaskRunHooks& hooks) {
  try {
    return TaskRun(link, offer, sent, hooks).run();
  } catch (const Error& error) {
    sent.clear();
    return TaskLost{LossReason::kConnectionLost, error.what()};
  } catch (const std::exception&) {
    // Out of memory, most likely: our fault, not the node's.
    sent.clear();
    return TaskLost{LossReason::kOutOfMemory, std::nullopt};
  }
}

}  // namespace gradmill::coordinator
