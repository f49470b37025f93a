// The compute node: takes offers, works on them, keeps results until they are fetched.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/blob.h"
#include "compute_node/prediction/model_shelf.h"
#include "compute_node/worker/blob_inbox.h"
#include "compute_node/worker/fence_table.h"
#include "compute_node/worker/load_simulation.h"
#include "compute_node/worker/sample_cache.h"
#include "compute_node/worker/task_work.h"
#include "ml/trainer.h"
#include "protocol/task.h"

namespace gradmill::node {

/// What is done to tasks on purpose; empty functions: nothing. Called by the threads that work on
/// them.
struct TaskFaults {
  std::function<void()> begin;  ///< A task begins.
  /// A task has computed for so long: how much longer it is to take.
  std::function<std::chrono::nanoseconds(std::chrono::nanoseconds compute)> hold_back;
};

struct WorkerOptions {
  std::uint32_t slots = 1;  ///< Tasks at a time.
  int threads = 1;          ///< OpenMP threads of one task.
  std::chrono::milliseconds load_delay{3000};
  std::uint64_t cache_bytes = std::uint64_t{1} << 30U;        ///< Bound on the shards kept.
  std::uint64_t model_cache_bytes = std::uint64_t{1} << 28U;  ///< Bound on the models kept.
  /// A coordinator that is not heard of for this long loses its tasks.
  std::chrono::milliseconds lease{30'000};
  TaskFaults faults{};
};

/// Does what one or more coordinators ask. Thread-safe; owns its threads. Requests of a
/// coordinator's earlier start throw Error(kNotAllowed).
class Worker {
 public:
  /// Throws Error(kFailed) if there are not enough threads for all slots.
  Worker(const WorkerOptions& options, LoadSimulation load);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] NodeHello hello() const;

  /// Decides an offer; if it is accepted, waits up to `wait` for its end. A task whose content is
  /// already here under another offer is taken over rather than begun again.
  [[nodiscard]] TaskAnswer run(const Fence& fence,
                               TaskRequest request,
                               std::chrono::milliseconds wait);
  /// How the offer stands, once it has ended or after `wait`.
  [[nodiscard]] TaskAnswer poll(const Fence& fence,
                                const TaskId& task,
                                std::chrono::milliseconds wait);
  /// Ends the task if it is here under this offer; returns once it no longer runs, or after 2 s.
  void cancel(const Fence& fence, const TaskId& task);
  /// Drops what is here for jobs of this coordinator that two lists in a row lack. Returns the
  /// number of tasks that hold a slot.
  std::uint32_t heartbeat(const Fence& fence, const std::vector<std::string>& live_jobs);
  /// Notes that the coordinator asked for something that is no task.
  void admit(const Fence& fence);
  /// For blobs on their way in.
  [[nodiscard]] BlobInbox& inbox() noexcept { return inbox_; }
  /// What it predicts by.
  [[nodiscard]] ModelShelf& models() noexcept { return models_; }
  /// Takes a blob for an offer that is to come.
  void put_blob(const Fence& fence, const Blob& blob);
  /// The delta of a finished task. Throws Error(kNotFound).
  [[nodiscard]] Blob get_blob(const Fence& fence, const BlobRef& blob);

  /// Takes no more offers, lets what runs end within `grace` and then ends it: pollers are told it
  /// was cancelled. Within that time coordinators are to hear by a heartbeat that the node leaves.
  void leave(std::chrono::milliseconds grace);
  [[nodiscard]] bool leaving() const;
  /// Whether no task is being worked on any more, now or within `wait`.
  [[nodiscard]] bool drain(std::chrono::milliseconds wait);

  /// When this coordinator last asked anything; the epoch of the clock if never.
  [[nodiscard]] TimePoint last_heard(const std::string& coordinator) const;
  /// Since construction.
  [[nodiscard]] std::chrono::milliseconds uptime() const;

 private:
  using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint32_t>;
  struct Task;

  [[nodiscard]] static Key key_of(const Fence& fence, const TaskId& task);
  [[nodiscard]] TaskAnswer wait_for(std::unique_lock<std::mutex>& lock,
                                    const std::shared_ptr<Task>& task,
                                    const TaskId& id,
                                    std::chrono::milliseconds wait);
  [[nodiscard]] std::shared_ptr<Task> take_over(const Key& key, const TaskRequest& request);
  [[nodiscard]] std::optional<TaskAnswer> turn_away(const TaskRequest& request) const;
  void drop(const Key& key);
  void forget_rounds_before(const std::string& coordinator, const TaskId& newest);
  void keep_result(const std::shared_ptr<Task>& task);
  void work();
  void execute(Task& task, ml::Trainer& trainer);
  void watch_leases();

  const WorkerOptions options_;
  const LoadSimulation load_;
  const std::string incarnation_;
  const TimePoint started_ = std::chrono::steady_clock::now();
  SampleCache samples_;
  BlobInbox inbox_;
  ModelShelf models_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // tasks: for those who wait for an end
  std::condition_variable queued_;       // for the threads that work
  std::condition_variable stopped_;      // for the watch on leases
  FenceTable fences_;                    // guarded by mutex_, as all below
  std::map<Key, std::shared_ptr<Task>> tasks_;
  std::deque<std::shared_ptr<Task>> queue_;   // accepted and not begun
  std::deque<std::weak_ptr<Task>> finished_;  // oldest first; tasks_ may have dropped them
  std::uint32_t busy_ = 0;                    // tasks accepted and not ended
  bool leaving_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gradmill::node
