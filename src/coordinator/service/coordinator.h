// The coordinator: the scheduler with threads, time and nodes around it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/scheduler.h"
#include "coordinator/service/node_session.h"
#include "coordinator/service/round_validator.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

struct CoordinatorOptions {
  SchedulerOptions scheduler;
  std::uint64_t blob_bytes_max = std::uint64_t{4} << 30U;  ///< Shards and weights kept in memory.
};

/// Serves clients and drives nodes. Thread-safe. One mutex guards the scheduler; no call to a node
/// is made under it, and it is never held while another lock is taken but those of NodeSession's
/// and BlobCache's short, leaf-level critical sections.
class Coordinator final : private NodeEvents {
 public:
  Coordinator(const CoordinatorOptions& options,
              std::unique_ptr<Policy> policy,
              const std::vector<Address>& nodes,
              const NodeLinkFactory& make_link);
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): a throw from stop() would be a bug and ends us
  ~Coordinator() override;

  void start();
  /// Ends what runs (reason `stopped`), wakes followers and joins all threads. Within seconds.
  void stop();

  /// Queues the job and returns nothing, or returns the blobs that must be put first. The same id
  /// with the same specification is the same job, already submitted. Throws Error(kInvalidInput)
  /// that names what is wrong, Error(kUnavailable) when stopping.
  [[nodiscard]] std::vector<Digest> submit(const std::string& id,
                                           const JobSpecification& specification);
  /// How the job stands: at once if it has changed since query.version, else when it changes or
  /// after `wait`. Throws Error(kNotFound).
  [[nodiscard]] JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait);
  /// Cancels the job if it has not ended; returns its state. Throws Error(kNotFound).
  JobState cancel(const std::string& job);

  void put_blob(const Blob& blob) { blobs_.put(blob); }
  /// Throws Error(kNotFound).
  [[nodiscard]] Blob get_blob(const BlobRef& ref);

 private:
  void node_up(NodeId node, const NodeHello& hello) override;
  void node_down(NodeId node, const std::string& why) override;
  void task_accepted(const TaskId& task) override;
  void task_ended(NodeId node, const TaskId& task, TaskOutcome outcome) override;
  [[nodiscard]] std::vector<std::string> live_jobs() override;
  [[nodiscard]] std::optional<Blob> blob(const Digest& digest) override;

  /// Runs `event` on the scheduler, now, and enacts what it answers.
  template <class Event>
  void handle(const Event& event);
  void enact(Actions actions);
  void enact(OfferTask action);
  void enact(const CancelTask& action);
  void enact(AdvanceRound action);
  void enact(ValidateRound action);
  void enact(const JobEnded& action);
  const Job& job_at(const std::string& id) const;
  /// Tells followers, and the clock if it sleeps for too long now.
  void tell_of_change();
  void keep_time();
  /// Does what comes into `inbox`, one after the other, until the coordinator stops.
  template <class Work, class Do>
  void serve(std::deque<Work>& inbox, std::condition_variable& filled, const Do& work);
  void advance(const AdvanceRound& round);
  void validate(const ValidateRound& round);

  BlobCache blobs_;
  RoundValidator validator_;  // of the validating thread

  mutable std::mutex mutex_;
  std::condition_variable changed_;       // jobs: for followers
  std::condition_variable ended_;         // a job's state: for followers that gather news
  std::condition_variable time_changed_;  // the next wake-up: for the clock thread
  std::condition_variable to_advance_filled_;
  std::condition_variable to_validate_filled_;
  Scheduler scheduler_;  // guarded by mutex_, as all below
  std::deque<AdvanceRound> to_advance_;
  std::deque<ValidateRound> to_validate_;
  std::optional<TimePoint> wakeup_;  // until when the clock sleeps
  bool stopping_ = false;

  std::vector<std::unique_ptr<NodeSession>> sessions_;  // by NodeId; fixed once constructed
  std::thread clock_;
  std::thread advancing_;
  std::thread validating_;
};

}  // namespace gradmill::coordinator
