// The coordinator: the scheduler with threads, time and nodes around it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/scheduler/scheduler.h"
#include "coordinator/ports/job_store.h"
#include "coordinator/service/event_quota.h"
#include "coordinator/service/journal.h"
#include "coordinator/service/model_keeper.h"
#include "coordinator/service/node_listener.h"
#include "coordinator/service/node_session.h"
#include "coordinator/service/round_validator.h"
#include "coordinator/service/statistics/job_recorders.h"
#include "coordinator/service/statistics/model_recorders.h"
#include "protocol/garbage.h"
#include "protocol/job_details.h"
#include "protocol/job_event.h"
#include "protocol/job_explanation.h"
#include "protocol/job_status.h"
#include "protocol/job_terms.h"
#include "protocol/model.h"
#include "protocol/node_status.h"
#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

struct CoordinatorOptions {
  SchedulerOptions scheduler;  ///< Its epoch and clock are set here.
  std::chrono::milliseconds heartbeat_interval{1000};
  /// Shards and weights kept in memory, unfinished uploads among them.
  std::uint64_t blob_bytes_max = std::uint64_t{4} << 30U;
  std::uint32_t jobs_max = 1000;  ///< That have not ended.
};

/// Serves clients and drives nodes. Thread-safe. One mutex guards the scheduler; no call to a node
/// or to the store is made under it, and it is never held while another lock is taken but those of
/// the short, leaf-level critical sections of NodeSession, BlobCache and Journal.
class Coordinator final : private NodeEvents {
 public:
  /// `store` was loaded, and `state` is what it had; it must outlive the coordinator.
  Coordinator(const CoordinatorOptions& options,
              std::unique_ptr<Policy> policy,
              const std::vector<Address>& nodes,
              NodeLinkFactory make_link,
              JobStore& store,
              StoredState state);
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): a throw from stop() would be a bug and ends us
  ~Coordinator() override;

  /// Tells `listener` of nodes, from start() on. It must live until stop().
  void tell_of_nodes(NodeListener& listener) { listener_ = &listener; }
  /// Takes up the jobs of the state where they were.
  void start();
  /// Makes durable what is finished, wakes followers and joins all threads. Within seconds. Jobs go
  /// on with the next start.
  void stop();

  /// Queues the job and returns nothing once it is durable, or returns the blobs that must be put
  /// first. The same id with the same
  /// specification is the same job, already submitted. Throws Error(kInvalidInput) that names what
  /// is wrong, Error(kUnavailable) when stopping, when there are too many jobs, or when the job is
  /// still not durable after some seconds, Error(kFailed) when the store cannot take it.
  [[nodiscard]] std::vector<Digest> submit(const std::string& id,
                                           const JobSpecification& specification,
                                           const JobTerms& terms = {});
  /// How the job stands: at once if it has changed since query.version, else when it changes or
  /// after `wait`. Throws Error(kNotFound).
  [[nodiscard]] JobStatus follow(const JobQuery& query, std::chrono::milliseconds wait);
  /// Cancels, pauses or resumes the job, which does nothing to one that has ended; returns once
  /// every node has acknowledged it, or after `wait`. Throws Error(kNotFound).
  JobControl control(const std::string& job, JobCommand command, std::chrono::milliseconds wait);
  /// The newest jobs, newest first; all of them if `limit` is 0.
  [[nodiscard]] std::vector<JobSummary> jobs(std::uint32_t limit);
  /// Throws Error(kNotFound).
  [[nodiscard]] JobDetails job(const std::string& job);
  /// Which node has what of the job, and why the others do not. Throws Error(kNotFound).
  [[nodiscard]] JobExplanation explain(const std::string& job);
  /// Durable on return. Throws Error(kFailed) if the store cannot take it.
  void set_scheduling(SchedulingMode mode);
  [[nodiscard]] SchedulingMode scheduling();
  /// Events after `after`, once there are any, the job has ended, or after `wait`. Throws
  /// Error(kNotFound).
  [[nodiscard]] JobLog logs(const std::string& job,
                            std::uint64_t after,
                            std::chrono::milliseconds wait);
  /// Predictions of a prediction job from `first_row` on, at most `rows_max`: once there are any,
  /// the job has ended, or after `wait`. Throws Error(kNotFound), Error(kInvalidInput) for another
  /// kind of job or a row beyond the last one, Error(kFailed) if they can no longer be read.
  [[nodiscard]] JobPredictions predictions(const std::string& job,
                                           std::uint64_t first_row,
                                           std::uint32_t rows_max,
                                           std::chrono::milliseconds wait);
  /// Batches of the prediction job that no node has yet are made anew, of so many rows. Durable on
  /// return. Throws Error(kNotFound), and Error(kInvalidInput) for another kind of job, one that
  /// has ended, or a size that batches cannot have.
  void set_batch_rows(const std::string& job, std::uint32_t batch_rows);
  /// How long its tasks took. Throws Error(kNotFound).
  [[nodiscard]] JobStatistics statistics(const std::string& job);
  /// Forgets an ended job once that is durable. Throws Error(kNotFound), Error(kInvalidInput) if it
  /// has not ended, Error(kFailed) if the store cannot: then it is still there.
  void remove(const std::string& job);
  /// Applies a retention rule, the coordinator's own unless another is given, likewise.
  [[nodiscard]] Garbage collect_garbage(bool dry_run, const std::optional<Retention>& rule);

  /// What NAME, NAME@VERSION or NAME@ALIAS stands for. Throws Error(kInvalidInput) or
  /// Error(kNotFound), as do all calls about models.
  [[nodiscard]] std::shared_ptr<const ModelVersion> resolve_model(std::string_view reference);
  /// The champion of each model.
  [[nodiscard]] std::vector<ModelSummary> models();
  /// Newest first.
  [[nodiscard]] std::vector<ModelSummary> versions(const std::string& model);
  [[nodiscard]] ModelDetails model(std::string_view reference);
  /// How long queries to the version took.
  [[nodiscard]] ModelStatistics model_statistics(std::string_view reference);
  /// For those who answer such queries.
  [[nodiscard]] ModelRecorders& model_recorders() noexcept { return model_recorders_; }
  /// A new version from a model file that was put; the one there is if the model has it already.
  /// Throws Error(kFailed) if the store cannot take it, as do the calls below.
  ModelVersion import_model(const std::string& model, const BlobRef& file);
  /// See ModelRegistry; returns once it is durable.
  std::optional<AliasMove> promote_model(const std::string& reference,
                                         const std::string& alias,
                                         bool force);
  /// Only if the alias stands for `from`. If it was just rolled back from there, that move: the
  /// answer to the same call may have been lost.
  AliasMove roll_back_model(const std::string& model, const std::string& alias, std::uint32_t from);
  void delete_version(const std::string& model, std::uint32_t version);
  void delete_model(const std::string& model);

  /// A node announces itself.
  [[nodiscard]] JoinAnswer join(const Address& address, const std::string& incarnation);
  /// A client adds a node. Throws Error(kInvalidInput) if no node answers there, within seconds.
  NodeStatus add_node(const Address& address);
  /// A client takes a node out: returns once it has no tasks, or after `wait`. Throws
  /// Error(kNotFound).
  NodeStatus remove_node(const Address& address, std::chrono::milliseconds wait);
  /// In order of arrival.
  [[nodiscard]] std::vector<NodeStatus> nodes();

  void put_blob(const Blob& blob) { blobs_.put(blob); }
  /// For blobs on their way in.
  [[nodiscard]] ByteRoom& room() noexcept { return blobs_; }
  [[nodiscard]] std::uint64_t blob_bytes_max() const noexcept { return options_.blob_bytes_max; }
  /// Throws Error(kNotFound).
  [[nodiscard]] Blob get_blob(const BlobRef& ref);

 private:
  // coordinator.cc: threads, events of nodes, and what the scheduler wants done.

  void heartbeat(NodeId node, const NodeBeat& beat) override;
  void heartbeat_missed(NodeId node, const std::string& why) override;
  void node_gone(NodeId node, const std::string& why, Duration took) override;
  void task_taken(const TaskId& task) override;
  void task_accepted(const TaskId& task) override;
  void task_ended(NodeId node, const TaskId& task, TaskOutcome outcome) override;
  [[nodiscard]] std::vector<std::string> live_jobs() override;
  [[nodiscard]] std::optional<Blob> blob(const Digest& digest) override;

  /// Takes up what was stored.
  void restore();
  [[nodiscard]] bool pin_stored_blobs(const StoredJob& job);

  /// Runs `event` on the scheduler, now, and enacts what it answers. For want of memory the process
  /// ends: the state folder is whole, while a scheduler that has half decided is not.
  template <class Event>
  void decide(const Event& event) noexcept {
    enact(event(time_now()));
  }
  /// The same with the lock, unless the coordinator is stopping.
  template <class Event>
  void handle(const Event& event);
  void enact(Actions actions);
  void enact(OfferTask action);
  void enact(const CancelTask& action);
  void enact(AdvanceRound action);
  void enact(ValidateRound action);
  void enact(Save action);
  void enact(const WatchNode& action);
  void enact(const UnwatchNode& action);
  void enact(const JobEnded& action);
  void enact(Note action);
  /// The lock, unless the coordinator is stopping: then throws Error(kUnavailable).
  [[nodiscard]] std::unique_lock<std::mutex> lock_running() const;
  /// Throws Error(kUnavailable) if there are too many members for one more.
  void check_room_for(const Address& address) const;
  /// Throws Error(kInvalidInput) unless a compute node answers there. Not under the lock.
  void check_answers(const Address& address);
  /// Throws Error(kFailed) if nothing becomes durable.
  void check_store();
  /// What holds the job up, for people.
  [[nodiscard]] std::string notice_of(const Job& job);
  /// Makes the removal of an ended job durable and then forgets it; whether it did. In the
  /// journal's thread, without the lock.
  bool remove_stored(const std::string& id);
  /// Throws Error(kInvalidInput) if the blobs are more than is ever kept.
  void check_size(const std::vector<BlobRef>& blobs) const;
  /// See job_intake.h. Throws Error(kNotFound) if the model of a prediction job is not here.
  [[nodiscard]] JobSubmission admit(const std::string& id,
                                    const std::shared_ptr<const JobSpecification>& specification);
  /// Throws Error(kInvalidInput) unless it is a prediction job.
  [[nodiscard]] const PredictionProgress& prediction_at(const std::string& job) const;
  /// Throws Error(kUnavailable) if there are too many jobs for one more.
  void check_room_for_a_job() const;
  [[nodiscard]] const Job& job_at(const std::string& id) const;
  [[nodiscard]] NodeId node_at(const Address& address) const;
  [[nodiscard]] NodeStatus status_of(NodeId node) const;
  /// The time for events, once what happened while the process did not run is accounted for.
  [[nodiscard]] TimePoint time_now();
  /// Tells the listener of a node, or of all that have another state than it knows.
  void tell_of_node(NodeId node);
  void tell_of_changed_nodes();
  /// Tells followers, and the clock if it sleeps for too long now.
  void tell_of_change();
  void keep_time();
  void stop_retired(std::unique_lock<std::mutex>& lock);
  /// Waits until all records so far are durable. Throws Error(kFailed) if the store
  /// cannot, and Error(kUnavailable) if they are not in time.
  void await_durable(std::unique_lock<std::mutex>& lock);
  /// The result of a task, which the statistics count if the scheduler does.
  [[nodiscard]] Actions task_done(NodeId node,
                                  const TaskId& task,
                                  TaskResult result,
                                  TimePoint now);
  /// What the store is to know of a job that ends, or to forget with it.
  void complete(Record& record);
  /// The offers that a node has, in order.
  [[nodiscard]] std::vector<NodeTask> tasks_of(NodeId node) const;
  /// The job, if it is one whose model is to be registered.
  [[nodiscard]] std::optional<TrainedJob> trained_job(const std::string& id);
  /// What the registry has the job's result as, NAME@VERSION; empty if it has not.
  [[nodiscard]] std::string registered(const Job& job) const;
  /// Runs a change of the registry between two commits.
  void change_models(const std::function<std::vector<Record>(ModelRegistry& registry)>& change);
  /// Does what comes into `inbox`, one after the other, until the coordinator stops.
  template <class Work, class Do>
  void serve(std::deque<Work>& inbox, std::condition_variable& filled, const Do& work);
  void advance(const AdvanceRound& round);
  void validate(const ValidateRound& round);

  const CoordinatorOptions options_;
  const NodeLinkFactory make_link_;
  JobStore& store_;
  StoredState stored_;  // until it is restored
  const std::string coordinator_;
  BlobCache blobs_;
  RoundValidator validator_;  // of the validating thread
  ModelKeeper models_;
  ModelRecorders model_recorders_;
  Journal journal_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;       // jobs, nodes, what is durable: for those who wait
  std::condition_variable ended_;         // a job's state: for followers that gather news
  std::condition_variable time_changed_;  // the next wake-up: for the clock thread
  std::condition_variable to_advance_filled_;
  std::condition_variable to_validate_filled_;
  Scheduler scheduler_;  // guarded by mutex_, as all below
  JobRecorders job_recorders_;
  std::deque<AdvanceRound> to_advance_;
  std::deque<ValidateRound> to_validate_;
  std::optional<TimePoint> wakeup_;        // when the scheduler wants to be asked
  TimePoint awake_at_ = TimePoint::max();  // until when the clock sleeps, if it does
  TimePoint alive_at_{};                   // of the last event
  std::uint64_t events_ = 0;               // noted so far
  EventQuota event_quota_;
  TimePoint next_round_logged_{};  // when the log may tell of a round again
  NodeListener* listener_ = nullptr;
  std::vector<NodeState> told_;   // by NodeId: what the listener knows
  std::set<std::string> pinned_;  // jobs whose blobs are
  bool stopping_ = false;
  std::vector<std::unique_ptr<NodeSession>>
      sessions_;  // by NodeId; null for those forgotten or unwatched
  std::vector<std::unique_ptr<NodeSession>> retired_;  // to be stopped
  std::vector<WatchNode> unwatched_;                   // for want of threads or descriptors
  TimePoint watch_again_{};                            // when to try them again

  std::thread clock_;
  std::thread advancing_;
  std::thread validating_;
};

}  // namespace gradmill::coordinator
