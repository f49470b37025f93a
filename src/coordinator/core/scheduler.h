// The coordinator's core: a state machine without threads, sockets or clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/core/job.h"
#include "coordinator/core/job_table.h"
#include "coordinator/core/node_registry.h"
#include "coordinator/core/policy/policy.h"
#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// Offer this task to this node. The caller answers with exactly one of task_refused, task_done,
/// task_failed and task_lost, whatever happens, also after the task was cancelled.
struct OfferTask {
  NodeId node = 0;
  TaskOffer offer;
};

/// The result of this offer is no longer wanted: end it on the node.
struct CancelTask {
  NodeId node = 0;
  TaskId task;
};

/// All shards of the round are in: make the server's step, and answer with round_advanced or
/// round_diverged, or end the job.
struct AdvanceRound {
  std::string job;
  std::uint32_t round = 0;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
  std::vector<Blob> deltas;  ///< In shard order.
  std::vector<std::uint64_t> rows;
  std::shared_ptr<const ml::ServerState> server;  ///< Before the step.
};

/// The round has given the next one its weights: find their validation error, and answer with
/// round_validated, in the order of the rounds, or end the job.
struct ValidateRound {
  std::string job;
  std::uint32_t round = 0;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
};

/// The job has ended; its blobs may go. `weights` are those that its status names.
struct JobEnded {
  std::string job;
  std::shared_ptr<const JobSpecification> specification;
  Blob weights;
};

using Action = std::variant<OfferTask, CancelTask, AdvanceRound, ValidateRound, JobEnded>;
using Actions = std::vector<Action>;

/// What the server's step gave.
struct RoundStep {
  Blob weights;
  std::shared_ptr<const ml::ServerState> server;
  double seconds = 0;
};

/// What validating a round gave; no error if its job does without.
struct RoundValidation {
  std::optional<double> error;
  double seconds = 0;
};

struct SchedulerOptions {
  Duration capacity_timeout = std::chrono::seconds(60);
  std::uint64_t seed = 1;  ///< Of the jitter; the policy has its own.
};

/// Turns events into actions. Not thread-safe; every event comes with the time it happened, never
/// earlier than the one before. Jobs run one at a time in order of arrival.
class Scheduler {
 public:
  Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy);

  NodeId add_node(const Address& address) { return nodes_.add(address); }

  /// A new job, with at least one shard and one round. The id must be new.
  [[nodiscard]] Actions submit(JobSubmission submission, TimePoint now);
  /// Ends a job in a final state if it has not ended; nothing happens to others.
  [[nodiscard]] Actions end(const std::string& job,
                            JobState state,
                            const JobEnd& why,
                            TimePoint now);

  /// The node answers; `hello` tells whether it is a new incarnation.
  [[nodiscard]] Actions node_up(NodeId node, const NodeHello& hello, TimePoint now);
  /// The node does not answer: its tasks go elsewhere.
  [[nodiscard]] Actions node_down(NodeId node, const std::string& why, TimePoint now);

  /// The node has begun with the task; it still has to be answered.
  [[nodiscard]] Actions task_accepted(const TaskId& task, TimePoint now);
  /// The node's simulated load refused the offer.
  [[nodiscard]] Actions task_refused(NodeId node, const TaskId& task, TimePoint now);
  /// The node returned a valid result.
  [[nodiscard]] Actions task_done(NodeId node,
                                  const TaskId& task,
                                  TaskResult result,
                                  TimePoint now);
  /// The node tried and failed, or returned something invalid.
  [[nodiscard]] Actions task_failed(NodeId node,
                                    const TaskId& task,
                                    const std::string& why,
                                    TimePoint now);
  /// The loss became infinite on the node. No fault of the node's; the job ends once it is sure.
  [[nodiscard]] Actions task_diverged(NodeId node, const TaskId& task, TimePoint now);
  /// The offer came to nothing without a fault in the task: the connection broke, the node was
  /// busy or is leaving, or the offer was cancelled. `fault` sets the node aside; without one, a
  /// node that had no room for the task is left alone for a moment.
  [[nodiscard]] Actions task_lost(NodeId node,
                                  const TaskId& task,
                                  const std::optional<std::string>& fault,
                                  TimePoint now);

  /// The next round starts at once, or the job ends when all of its rounds are validated.
  [[nodiscard]] Actions round_advanced(const std::string& job,
                                       std::uint32_t round,
                                       RoundStep step,
                                       TimePoint now);
  /// The server's step gave weights that are not finite: the job ends with those before it.
  [[nodiscard]] Actions round_diverged(const std::string& job, std::uint32_t round, TimePoint now);
  /// The round is finished; perhaps the job stops early.
  [[nodiscard]] Actions round_validated(const std::string& job,
                                        std::uint32_t round,
                                        const RoundValidation& validation,
                                        TimePoint now);
  /// Time has passed.
  [[nodiscard]] Actions tick(TimePoint now);
  /// When, after `now`, the next tick is due even if nothing happens.
  [[nodiscard]] std::optional<TimePoint> wakeup(TimePoint now) const;

  [[nodiscard]] const Job* find(const std::string& id) const { return jobs_.find(id); }
  /// Jobs that run before `job`.
  [[nodiscard]] std::size_t ahead(const Job& job) const { return jobs_.ahead(job.id); }
  /// Ids of the jobs that have not ended, oldest first.
  [[nodiscard]] std::vector<std::string> live_jobs() const { return jobs_.live(); }
  [[nodiscard]] const NodeRegistry& nodes() const { return nodes_; }
  /// What keeps the job from going on, for people; empty if nothing does.
  [[nodiscard]] std::string hindrance(const Job& job, TimePoint now) const;

  /// Aborts unless the books agree with each other.
  void check_invariants() const;

 private:
  /// The running job, if `task` belongs to its current round and is its task's current offer.
  Job* holder_of(const TaskId& task);

  /// What follows from every event: end the job that waited too long for capacity, start the next
  /// in line, give every task that can go somewhere to a node, and offer what has a slot.
  void dispatch(TimePoint now, Actions& actions);
  void start_next(TimePoint now);
  void assign_pending(Job& job, TimePoint now);
  /// Queues the task at the node that the policy picks, if it picks one.
  bool assign(Job& job, std::uint32_t shard, TimePoint now);
  void offer_queued(Job& job, TimePoint now, Actions& actions);

  /// Takes back what is queued at the node, and what is offered to it.
  void reclaim_queue(NodeId node, TimePoint now);
  void release_node(NodeId node, TimePoint now, Actions& actions);

  /// Whether an AdvanceRound of this round is out.
  [[nodiscard]] bool is_advancing(const std::string& job, std::uint32_t round) const;
  void advance_if_complete(Job& job, Actions& actions) const;
  void end_if_diverged(Job& job, std::uint32_t shard, Actions& actions);
  /// Nothing more is trained; the job ends as soon as the rounds so far are validated.
  void conclude(Job& job, JobConclusion conclusion, Actions& actions);
  void end_if_concluded(Job& job, Actions& actions);
  /// Cancels what is offered of the current round and takes back what is queued.
  void drop_round(Job& job, Actions& actions);
  [[nodiscard]] bool out_of_capacity(const Job& job, TimePoint now) const;
  /// Whether the policy keeps a task back although some node has a free slot for it.
  [[nodiscard]] bool holds_back(const Round& round, TimePoint now) const;
  void end_if_hopeless(Job& job, std::uint32_t shard, Actions& actions);
  void end_job(Job& job, JobState state, JobEnd end, Actions& actions);

  void check_invariants(const Job& job) const;

  SchedulerOptions options_;
  std::unique_ptr<Policy> policy_;
  std::mt19937_64 jitter_;
  NodeRegistry nodes_;
  JobTable jobs_;
};

}  // namespace gradmill::coordinator
