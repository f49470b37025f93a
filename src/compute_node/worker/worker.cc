#include "compute_node/worker/worker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/checksum.h"
#include "base/error.h"
#include "base/random_id.h"
#include "compute_node/worker/thread_group.h"
#include "ml/kernel/kernels.h"
#include "ml/parallel.h"

namespace gradmill::node {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCancelWait{2};
constexpr std::chrono::milliseconds kLeaseCheck{500};
constexpr unsigned kBeatsUnlistedMax = 2;
// A coordinator that was silent for longer has other ways to learn that the node is gone.
constexpr std::chrono::seconds kHeardLately{3};
constexpr std::chrono::milliseconds kTellMax{500};

TaskAnswer answer_of(const TaskId& task, TaskState state) {
  TaskAnswer answer;
  answer.task = task;
  answer.state = state;
  return answer;
}

bool are_same_rows(const TaskRequest& one, const TaskRequest& other) {
  return one.batch.has_value() == other.batch.has_value() &&
         (!one.batch || (one.batch->first_row == other.batch->first_row &&
                         one.batch->rows.rows == other.batch->rows.rows));
}

}  // namespace

/// A task that was accepted. Guarded by the worker's mutex but for what execute() reads.
struct Worker::Task {
  Key key;
  TaskId accepted_as;  // keys the random draws; request.task follows the newest offer
  TaskRequest request;
  std::unique_ptr<TaskWork> work;  // until it has ended
  std::stop_source stop;
  unsigned beats_unlisted = 0;  // heartbeats in a row that did not list the job
  bool ended = false;
  TaskAnswer answer;  // once ended
};

Worker::Worker(const WorkerOptions& options, LoadSimulation load)
    : options_(options),
      load_(std::move(load)),
      incarnation_(random_id(16)),
      samples_(options.cache_bytes),
      // A task needs two blobs, and each slot may have one offer on its way.
      inbox_(2 * std::size_t{options.slots} + 2, options.cache_bytes, samples_),
      models_(options.model_cache_bytes) {
  std::vector<ThreadPlan> plans(
      options_.slots,
      {.prepare = [this] { ml::start_workers(options_.threads); }, .run = [this] { work(); }});
  plans.push_back({.prepare = {}, .run = [this] { watch_leases(); }});
  threads_ = start_together(plans);
}

Worker::~Worker() {
  leave(std::chrono::milliseconds(0));
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queued_.notify_all();
    stopped_.notify_all();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

NodeHello Worker::hello() const {
  return {.incarnation = incarnation_, .kernel_id = ml::kernel_id(), .slots = options_.slots};
}

Worker::Key Worker::key_of(const Fence& fence, const TaskId& task) {
  return {fence.coordinator, task.job, task.round, task.shard};
}

TaskAnswer Worker::run(const Fence& fence, TaskRequest request, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  fences_.admit(fence, Clock::now());
  const TaskId id = request.task;
  const Key key = key_of(fence, id);
  if (request.weights_blob) {
    inbox_.put(*request.weights_blob);
  }
  if (const std::shared_ptr<Task> known = take_over(key, request)) {
    return wait_for(lock, known, id, wait);
  }
  if (const std::optional<TaskAnswer> answer = turn_away(request)) {
    return *answer;
  }
  auto task = std::make_shared<Task>();
  task->key = key;
  task->accepted_as = id;
  task->request = std::move(request);
  task->request.weights_blob.reset();
  task->work = work_of(task->request, {inbox_, samples_, models_});
  TaskAnswer missing = answer_of(id, TaskState::kMissing);
  missing.missing = task->work->gather();
  if (!missing.missing.empty()) {
    return missing;
  }
  forget_rounds_before(fence.coordinator, id);
  tasks_[key] = task;
  queue_.push_back(task);
  ++busy_;
  queued_.notify_one();
  return wait_for(lock, task, id, wait);
}

std::shared_ptr<Worker::Task> Worker::take_over(const Key& key, const TaskRequest& request) {
  const auto known = tasks_.find(key);
  if (known == tasks_.end()) {
    return nullptr;
  }
  Task& task = *known->second;
  const bool same = task.request.job_digest == request.job_digest &&
                    task.request.weights == request.weights &&
                    task.request.shard == request.shard && are_same_rows(task.request, request);
  const bool usable =
      !task.stop.stop_requested() && (!task.ended || task.answer.state == TaskState::kDone ||
                                      task.answer.state == TaskState::kDiverged);
  if (!same || !usable) {
    drop(key);
    return nullptr;
  }
  task.request.task.offer = request.task.offer;
  return known->second;
}

std::optional<TaskAnswer> Worker::turn_away(const TaskRequest& request) const {
  if (leaving_ || busy_ >= options_.slots) {
    return answer_of(request.task, TaskState::kBusy);
  }
  if (load_.refuses(request.job_digest, request.task, request.load_rule)) {
    return answer_of(request.task, TaskState::kRefused);
  }
  return std::nullopt;
}

TaskAnswer Worker::poll(const Fence& fence, const TaskId& task, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  fences_.admit(fence, Clock::now());
  const auto known = tasks_.find(key_of(fence, task));
  if (known == tasks_.end()) {
    return answer_of(task, TaskState::kNotFound);
  }
  return wait_for(lock, std::shared_ptr(known->second), task, wait);
}

TaskAnswer Worker::wait_for(std::unique_lock<std::mutex>& lock,
                            const std::shared_ptr<Task>& task,
                            const TaskId& id,
                            std::chrono::milliseconds wait) {
  changed_.wait_for(lock, wait, [&] {
    return task->ended || task->stop.stop_requested() || task->request.task.offer != id.offer;
  });
  if (task->request.task.offer != id.offer) {
    return answer_of(id, TaskState::kNotFound);
  }
  if (task->stop.stop_requested()) {
    return answer_of(id, TaskState::kCancelled);
  }
  if (!task->ended) {
    return answer_of(id, TaskState::kRunning);
  }
  TaskAnswer answer = task->answer;
  answer.task = id;
  return answer;
}

void Worker::cancel(const Fence& fence, const TaskId& task) {
  std::unique_lock lock(mutex_);
  fences_.admit(fence, Clock::now());
  const Key key = key_of(fence, task);
  const auto known = tasks_.find(key);
  if (known == tasks_.end() || known->second->request.task.offer != task.offer) {
    return;
  }
  const std::shared_ptr<Task> held = known->second;
  drop(key);
  changed_.wait_for(lock, kCancelWait, [&] { return held->ended; });
}

std::uint32_t Worker::heartbeat(const Fence& fence, const std::vector<std::string>& live_jobs) {
  const std::lock_guard lock(mutex_);
  fences_.admit(fence, Clock::now());
  if (leaving_) {
    fences_.tell(fence);
    changed_.notify_all();
  }
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const auto& [coordinator, job, round, shard] = task->first;
    const bool ours = coordinator == fence.coordinator;
    const bool live = std::find(live_jobs.begin(), live_jobs.end(), job) != live_jobs.end();
    const auto next = std::next(task);
    if (ours) {
      // A list may be older than the job, so one that lacks it is not enough.
      task->second->beats_unlisted = live ? 0 : task->second->beats_unlisted + 1;
      if (task->second->beats_unlisted >= kBeatsUnlistedMax) {
        drop(Key(task->first));
      }
    }
    task = next;
  }
  return busy_;
}

void Worker::admit(const Fence& fence) {
  const std::lock_guard lock(mutex_);
  fences_.admit(fence, Clock::now());
}

void Worker::put_blob(const Fence& fence, const Blob& blob) {
  const std::lock_guard lock(mutex_);
  fences_.admit(fence, Clock::now());
  inbox_.put(blob);
}

Blob Worker::get_blob(const Fence& fence, const BlobRef& blob) {
  const std::lock_guard lock(mutex_);
  fences_.admit(fence, Clock::now());
  for (const auto& [key, task] : tasks_) {
    if (task->ended && task->answer.state == TaskState::kDone && task->answer.delta == blob) {
      return {blob, task->answer.delta_bytes};
    }
  }
  throw Error(ErrorCode::kNotFound, "the blob " + blob.digest.hex() + " is not here");
}

void Worker::leave(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  leaving_ = true;
  const TimePoint since = Clock::now() - kHeardLately;
  changed_.wait_for(lock, grace, [&] { return busy_ == 0 && fences_.all_told(since); });
  for (auto& [key, task] : tasks_) {
    if (!task->ended) {
      task->stop.request_stop();
    }
  }
  changed_.notify_all();
  // Pollers learn of it, and ask at once how the node is.
  changed_.wait_for(lock, std::min(grace, kTellMax), [&] { return fences_.all_told(since); });
}

bool Worker::leaving() const {
  const std::lock_guard lock(mutex_);
  return leaving_;
}

bool Worker::drain(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, wait, [this] { return busy_ == 0; });
}

TimePoint Worker::last_heard(const std::string& coordinator) const {
  const std::lock_guard lock(mutex_);
  return fences_.last_heard(coordinator);
}

std::chrono::milliseconds Worker::uptime() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
}

void Worker::drop(const Key& key) {
  const auto found = tasks_.find(key);
  if (found != tasks_.end()) {
    found->second->stop.request_stop();
    tasks_.erase(found);
    changed_.notify_all();
  }
}

void Worker::forget_rounds_before(const std::string& coordinator, const TaskId& newest) {
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const auto& [owner, job, round, shard] = task->first;
    const bool older = owner == coordinator && job == newest.job && round < newest.round;
    task = task->second->ended && older ? tasks_.erase(task) : std::next(task);
  }
}

void Worker::keep_result(const std::shared_ptr<Task>& task) {
  // Results stay for as long as an answer may have been lost or a delta is being fetched.
  finished_.push_back(task);
  while (finished_.size() > 2 * std::size_t{options_.slots} + 2) {
    if (const std::shared_ptr<Task> oldest = finished_.front().lock()) {
      const auto held = tasks_.find(oldest->key);
      if (held != tasks_.end() && held->second == oldest) {
        tasks_.erase(held);
      }
    }
    finished_.pop_front();
  }
}

void Worker::work() {
  ml::Trainer trainer(options_.threads);
  std::unique_lock lock(mutex_);
  for (;;) {
    queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    const std::shared_ptr<Task> task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      execute(*task, trainer);
    } catch (const std::exception&) {
      task->answer.state = TaskState::kFailed;
      task->answer.message = message_for_peers();
      trainer = ml::Trainer(options_.threads);  // What it keeps may be half made, or in the way.
    }
    task->work.reset();
    lock.lock();
    if (task->request.batch) {
      task->request.batch->values.reset();
      task->request.batch->rows.values = {};
    }
    task->ended = true;
    --busy_;
    keep_result(task);
    changed_.notify_all();
  }
}

void Worker::execute(Task& task, ml::Trainer& trainer) {
  const TaskRequest& request = task.request;
  const std::stop_token stop = task.stop.get_token();
  TaskAnswer& answer = task.answer;
  answer.weights = request.weights.digest;
  if (options_.faults.begin) {
    options_.faults.begin();
  }
  if (load_.delays(request.job_digest, task.accepted_as)) {
    const Clock::time_point start = Clock::now();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, options_.load_delay, [] { return false; });
    answer.delay_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  const Clock::time_point start = Clock::now();
  answer.state = TaskState::kDone;
  std::optional<std::string> bytes = task.work->compute(trainer, stop, answer);
  if (!bytes) {
    return;
  }
  if (options_.faults.hold_back) {
    const auto more = options_.faults.hold_back(Clock::now() - start);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, more, [] { return false; });
    if (stop.stop_requested()) {
      answer.state = TaskState::kCancelled;
      return;
    }
  }
  answer.compute_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const bool is_inline = bytes->size() <= kInlineBytesMax;
  const Blob result =
      is_inline ? Blob{{{}, bytes->size()}, std::make_shared<const std::string>(*std::move(bytes))}
                : make_blob(*std::move(bytes));
  answer.delta = result.ref;
  answer.delta_checksum = is_inline ? checksum(*result.bytes) : 0;
  answer.delta_bytes = result.bytes;
}

void Worker::watch_leases() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    stopped_.wait_for(lock, kLeaseCheck, [this] { return stopping_; });
    const TimePoint now = Clock::now();
    for (auto& [key, task] : tasks_) {
      const bool abandoned = now - fences_.last_heard(std::get<0>(key)) > options_.lease;
      if (abandoned && !task->ended && !task->stop.stop_requested()) {
        task->stop.request_stop();
        changed_.notify_all();
      }
    }
  }
}

}  // namespace gradmill::node
