// The coordinator's core: a state machine without threads, sockets or clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core/action.h"
#include "coordinator/core/job/job.h"
#include "coordinator/core/job/job_table.h"
#include "coordinator/core/nodes/node_registry.h"
#include "coordinator/core/policy/policy.h"
#include "coordinator/core/record.h"
#include "coordinator/core/shares/fair_share.h"
#include "coordinator/core/shares/node_shares.h"
#include "coordinator/core/task.h"
#include "protocol/garbage.h"

namespace gradmill::coordinator {

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
  FailureDetection detection{};
  /// A round is held back while an earlier one has waited for longer to be durable, so that a crash
  /// costs no more than this of finished rounds.
  Duration unsaved_max = std::chrono::milliseconds(50);
  Retention retention{};              ///< Its age is not applied here: see remove().
  std::size_t running_jobs_max = 16;  ///< At a time; the others wait in line.
  /// Of a prediction job, beyond the first that is not saved: so many that nodes never wait for
  /// more, and few enough to look through.
  std::size_t batches_ahead = 4096;
  SchedulingMode scheduling = SchedulingMode::kGlobal;
  std::uint64_t epoch = 1;   ///< Of this start: offers of different starts have different numbers.
  std::int64_t wall_ms = 0;  ///< What the clock on the wall shows, since 1970, at TimePoint{}.
  std::uint64_t seed = 1;    ///< Of the jitter; the policy has its own.
};

/// Turns events into actions. Not thread-safe; every event comes with the time it happened, never
/// earlier than the one before. Jobs run side by side and share the slots of the nodes.
class Scheduler {
 public:
  Scheduler(const SchedulerOptions& options, std::unique_ptr<Policy> policy);

  /// What was found in the store, before all events but add_node(). Jobs that ran go on after their
  /// last durable round.
  [[nodiscard]] Actions restore(std::vector<StoredJob> jobs,
                                const std::vector<StoredNode>& nodes,
                                TimePoint now);

  /// A new job, with at least one shard and one round. The id must be new.
  [[nodiscard]] Actions submit(JobSubmission submission, TimePoint now);
  /// Ends a job that has not ended: a final state for a reason of ours.
  [[nodiscard]] Actions end(const std::string& job,
                            JobState state,
                            const JobEnd& why,
                            TimePoint now);
  /// Cancels, pauses or resumes a job; nothing happens where that makes no sense.
  [[nodiscard]] Actions control(const std::string& job, JobCommand command, TimePoint now);
  /// What no node has yet of the prediction job, which has not ended, is cut into batches of so
  /// many rows from now on.
  [[nodiscard]] Actions set_batch_rows(const std::string& job,
                                       std::uint32_t batch_rows,
                                       TimePoint now);
  /// Forgets a job that has ended and is forgettable. That is no record: it must be durable before.
  [[nodiscard]] Actions remove(const std::string& job, TimePoint now);

  /// Changes the mode of scheduling: offers that are out stay, and what is queued goes anew.
  [[nodiscard]] Actions set_scheduling(SchedulingMode mode, TimePoint now);

  /// A node becomes a member, or is one already: listed nodes are as durable as their list. One
  /// that was taken out comes back if a client adds it, or if it announces itself as a new process.
  [[nodiscard]] Actions add_node(const Address& address, NodeSource source, TimePoint now);
  /// As above, for a node that announces itself.
  [[nodiscard]] Actions announce_node(const Address& address,
                                      const std::string& incarnation,
                                      TimePoint now);
  /// Takes a node out: it finishes what it has begun, and gets no more.
  [[nodiscard]] Actions remove_node(NodeId node, TimePoint now);

  /// The node answered a heartbeat.
  [[nodiscard]] Actions heartbeat(NodeId node, const NodeBeat& beat, TimePoint now);
  /// It did not.
  [[nodiscard]] Actions heartbeat_missed(NodeId node, const std::string& why, TimePoint now);
  /// Nobody listens at its address, as it took so long to find out: its tasks go elsewhere.
  [[nodiscard]] Actions node_gone(NodeId node,
                                  const std::string& why,
                                  Duration took,
                                  TimePoint now);

  /// The coordinator itself did not run for the last `gap`, so that no node was silent in it.
  void excuse_silence(Duration gap, TimePoint now) { nodes_.excuse_silence(gap, now); }

  /// The node asked for what it needs for the task; it has begun. It still has to be answered.
  [[nodiscard]] Actions task_taken(const TaskId& task, TimePoint now);
  [[nodiscard]] Actions task_accepted(const TaskId& task, TimePoint now);
  /// The node's simulated load refused the offer.
  [[nodiscard]] Actions task_refused(NodeId node, const TaskId& task, TimePoint now);
  /// The node returned a valid result.
  [[nodiscard]] Actions task_done(NodeId node,
                                  const TaskId& task,
                                  TaskResult result,
                                  TimePoint now);
  /// The node tried and failed, or returned something invalid.
  [[nodiscard]] Actions task_failed(
      NodeId node, const TaskId& task, LossReason reason, const std::string& why, TimePoint now);
  /// The loss became infinite on the node. No fault of the node's; the job ends once it is sure.
  [[nodiscard]] Actions task_diverged(NodeId node, const TaskId& task, TimePoint now);
  /// The offer came to nothing without a fault in the task. `fault` sets the node aside; without
  /// one, a node that had no room for the task is left alone for a moment.
  [[nodiscard]] Actions task_lost(NodeId node,
                                  const TaskId& task,
                                  LossReason reason,
                                  const std::optional<std::string>& fault,
                                  TimePoint now);

  /// The next round starts at once, or the job ends when all of its rounds are finished.
  [[nodiscard]] Actions round_advanced(const std::string& job,
                                       std::uint32_t round,
                                       RoundStep step,
                                       TimePoint now);
  /// The server's step gave weights that are not finite: the job ends with those before it.
  [[nodiscard]] Actions round_diverged(const std::string& job, std::uint32_t round, TimePoint now);
  /// The step or the validation could not be made: the job ends.
  [[nodiscard]] Actions step_failed(const std::string& job, const std::string& why, TimePoint now);
  [[nodiscard]] Actions validation_failed(const std::string& job,
                                          const std::string& why,
                                          TimePoint now);
  /// Perhaps the job stops early. The round is finished once it is durable.
  [[nodiscard]] Actions round_validated(const std::string& job,
                                        std::uint32_t round,
                                        const RoundValidation& validation,
                                        TimePoint now);
  /// All records up to this ticket are durable.
  [[nodiscard]] Actions saved(std::uint64_t ticket, TimePoint now);
  /// Time has passed.
  [[nodiscard]] Actions tick(TimePoint now);
  /// When, after `now`, the next tick is due even if nothing happens.
  [[nodiscard]] std::optional<TimePoint> wakeup(TimePoint now) const;

  [[nodiscard]] const Job* find(const std::string& id) const { return jobs_.find(id); }
  /// Ids of all jobs, in order of submission.
  [[nodiscard]] const std::vector<std::string>& jobs() const { return jobs_.all(); }
  /// How many of them have not ended.
  [[nodiscard]] std::size_t unended_jobs() const { return jobs().size() - jobs_.ended().size(); }
  /// Jobs that run or wait before `job`, if it waits.
  [[nodiscard]] std::size_t ahead(const Job& job) const { return jobs_.ahead(job); }
  /// Ids of the jobs that run, and then of those that wait. Paused ones are not among them.
  [[nodiscard]] std::vector<std::string> live_jobs() const { return jobs_.live(); }
  [[nodiscard]] const NodeRegistry& nodes() const { return nodes_; }
  /// The jobs that run, in order of arrival, and whose turn it is.
  [[nodiscard]] const std::map<JobNumber, Job*>& running() const { return jobs_.running(); }
  [[nodiscard]] const FairShare& shares() const { return shares_; }
  [[nodiscard]] SchedulingMode scheduling() const { return options_.scheduling; }
  /// In local mode, the nodes of each job that has any to do with.
  [[nodiscard]] const NodeShares& node_shares() const { return node_shares_; }
  /// By the mode: whether the node works for the job; and whether a task of its current round may
  /// go there, as some may that went wrong at all nodes of the job.
  [[nodiscard]] bool serves(NodeId node, const Job& job) const;
  [[nodiscard]] bool is_open_to(const Job& job, std::uint32_t shard, NodeId node) const;
  /// The last ticket given, and the last one that is durable.
  [[nodiscard]] std::uint64_t last_ticket() const { return last_ticket_; }
  [[nodiscard]] std::uint64_t saved_ticket() const { return saved_ticket_; }
  [[nodiscard]] std::uint64_t epoch() const { return options_.epoch; }
  /// What the clock on the wall shows at `now`, since 1970.
  [[nodiscard]] std::int64_t wall_ms(TimePoint now) const;
  /// What keeps the job from going on, for people; empty if nothing does.
  [[nodiscard]] std::string hindrance(const Job& job, TimePoint now) const;
  /// Whether nothing that is still to come can be taken for another job of the same id.
  [[nodiscard]] bool is_forgettable(const Job& job) const;
  /// The job's tallies over all starts, by host:port.
  [[nodiscard]] std::map<std::string, NodeTally> tallies(const Job& job) const;

  /// Aborts unless the books agree with each other.
  void check_invariants() const;

 private:
  /// The running job whose current round `task` belongs to, if it is an offer that is out.
  Job* holder_of(const TaskId& task);

  // scheduler.cc: what follows from every event; node_events.cc and task_events.cc have the events.

  /// Judges the silent, ends jobs that waited too long for capacity, starts the next in line, gives
  /// every task that can go somewhere to a node, and offers what has a slot.
  void dispatch(TimePoint now, Actions& actions);
  void place_tasks(TimePoint now, Actions& actions);
  /// When it is due for this job, whose round is not complete.
  [[nodiscard]] std::optional<TimePoint> wakeup(const Job& job, TimePoint now) const;
  void judge_silence(TimePoint now, Actions& actions);
  /// Takes back what is queued at the node, and voids its leases.
  void reclaim_queue(NodeId node);
  void release_node(NodeId node, LossReason reason, TimePoint now, Actions& actions);
  /// What was lost with the node was lost on the way, or else died with a process of it that lived
  /// until `until`.
  void settle_losses(NodeId node);
  void count_deaths(NodeId node, TimePoint until, TimePoint now, Actions& actions);
  void note_loss(NodeId node,
                 const TaskId& task,
                 LossReason reason,
                 const std::string& why,
                 Actions& actions) const;

  // assignment.cc: which task goes where.

  struct Waiting;
  void assign_pending(TimePoint now, Actions& actions);
  /// Assigns one more task of a job; false if none can go anywhere.
  bool assign_next(Waiting& waiting, TimePoint now);
  /// Queues the task at the node that the policy picks, if it picks one.
  bool assign(Job& job, std::uint32_t shard, TimePoint now);
  void offer_queued(TimePoint now, Actions& actions);
  /// Whose task the node, which has some in its queue, is offered next.
  [[nodiscard]] JobNumber turn_at(NodeId node) const;
  /// Gives nodes that would stay idle what waits behind the late tasks of others.
  void relieve_late_nodes(TimePoint now, Actions& actions);
  /// Whether some other node may still be found for tasks like this one.
  bool move_queued(const TaskKey& task,
                   NodeId late,
                   const std::set<NodeId>& but,
                   TimePoint now,
                   Actions& actions);
  /// A suspect task has the node, which must be idle, for itself.
  void queue_at(Job& job, std::uint32_t shard, NodeId node);
  /// The node that the policy picks for the shard among those with a free slot, or, if the shard is
  /// suspect, without any task; `but` not these.
  std::optional<NodeId> pick_idle(const Job& job,
                                  std::uint32_t shard,
                                  const std::set<NodeId>& but,
                                  TimePoint now);
  void copy_stragglers(Job& job, TimePoint now, Actions& actions);
  void note_straggler(const Job& job,
                      std::uint32_t shard,
                      const std::string& event,
                      NodeId late,
                      const std::string& what,
                      Actions& actions) const;
  void make_offer(Job& job,
                  std::uint32_t shard,
                  NodeId node,
                  std::uint64_t number,
                  TimePoint now,
                  Actions& actions);
  [[nodiscard]] bool out_of_capacity(const Job& job, TimePoint now) const;
  /// Whether the policy keeps a task back although some node has a free slot for it.
  [[nodiscard]] bool holds_back(const Job& job, TimePoint now) const;

  // sharing.cc: how jobs share the slots, and keep out of each other's way.

  [[nodiscard]] TaskCost expected_cost(const Job& job, std::uint32_t shard) const;
  /// The offer has been answered: its slot is free. Its job pays for the time if it was used.
  enum class SlotTime { kUsed, kWasted };
  void end_offer(NodeId node, const TaskId& task, SlotTime slot_time, TimePoint now);
  void measure(Job& job, NodeId node, std::uint32_t shard, Duration taken, TimePoint now);
  /// Whether the job waits for nothing but slots that other jobs hold: no lack of capacity.
  [[nodiscard]] bool is_crowded_out(const Job& job) const;
  /// A suspect task must run alone, but other jobs may leave no node idle: one is kept free of new
  /// tasks until it is. Whether what waited there is pending again.
  bool drain_for_suspects(TimePoint now);
  void undrain_needless(TimePoint now);
  [[nodiscard]] bool waits_alone(const TaskKey& task) const;
  /// The node that was drained for the task, once it is idle.
  [[nodiscard]] std::optional<NodeId> drained_for(const TaskKey& task) const;

  // local_mode.cc: which nodes each job has for itself.

  /// Shares the nodes out again if jobs or nodes are others, and now and then since costs change.
  void share_nodes_out(TimePoint now);
  [[nodiscard]] std::vector<NodeDemand> node_demands() const;
  /// Slot seconds, or, while nothing was ever measured, in no unit.
  [[nodiscard]] double cost_of_row(const Job& job) const;
  [[nodiscard]] std::vector<NodeSupply> node_supplies(TimePoint now) const;
  /// What waits at nodes that it may not go to any more is pending again.
  void take_back_foreign();
  /// The nodes that the task may go to; null if it may go to all.
  [[nodiscard]] const std::set<NodeId>* nodes_open_to(const Job& job, std::uint32_t shard) const;
  /// Whether a pending task of the job, whose round is under way, is displaced: in local mode it
  /// may go to all nodes, since those of its job would not do.
  [[nodiscard]] bool has_displaced(const Job& job) const;

  // job_life.cc and job_progress.cc: from submission to the end, and from round to round.

  /// The first job of the line that may start, if there is room for one.
  [[nodiscard]] Job* next_to_start() const;
  void start(Job& job, JobState state);
  void start_waiting(TimePoint now, Actions& actions);
  void start_round(Job& job, TimePoint now);
  /// Whether it has waited too long for its last save.
  [[nodiscard]] bool is_held_back(const Job& job, TimePoint now) const;
  /// What the numbers of the offers of its next round start behind.
  [[nodiscard]] std::uint64_t first_offer_of_round(const Job& job) const;
  void end_late_round(Job& job, TimePoint now, Actions& actions);
  void complete_if_all_in(Job& job, Actions& actions) const;
  /// Whether the answer to an AdvanceRound or ValidateRound of the job is about a dropped round.
  bool is_stale_step(const std::string& job);
  bool is_stale_validation(const std::string& job);
  /// Whether an AdvanceRound of this round is out.
  [[nodiscard]] bool is_advancing(const std::string& job, std::uint32_t round) const;
  [[nodiscard]] static std::size_t awaiting_validation(const Job& job);
  void finish_round(Job& job, Checkpoint checkpoint, Actions& actions);
  void save_round(Job& job, AdvancedRound& round, TimePoint now, Actions& actions);
  void end_if_hopeless(Job& job, std::uint32_t shard, TimePoint now, Actions& actions);
  void end_if_diverged(Job& job, std::uint32_t shard, TimePoint now, Actions& actions);
  /// Ends the job if its validated rounds say so: all are done, or it stops early.
  void end_if_over(Job& job, TimePoint now, Actions& actions);
  /// Nothing more is trained; the job ends as soon as the rounds so far are validated.
  void conclude(Job& job, JobConclusion conclusion, TimePoint now, Actions& actions);
  void end_if_concluded(Job& job, TimePoint now, Actions& actions);
  /// Cancels what is offered of the current round and takes back what is queued.
  void drop_round(Job& job, Actions& actions);
  /// Decides on a change of state; what is not validated yet is dropped.
  void begin_move(Job& job, JobMove move, TimePoint now, Actions& actions);
  void finish_move_if_settled(Job& job, Actions& actions);
  void forget_old_jobs(std::int64_t now_ms, Actions& actions);
  std::uint64_t save(Record record, Actions& actions);
  void check_invariants(const Job& job) const;

  // prediction_progress.cc: prediction jobs from range to range. All but the first do nothing to
  // others.

  [[nodiscard]] static PredictionProgress progress_from(
      const JobSpecification& specification,
      const std::vector<std::uint64_t>& shard_rows,
      const std::vector<PredictedRange>& predicted,
      std::uint32_t batch_rows);
  /// The next rows become tasks of the round, while its window has room.
  void add_batches(Job& job, TimePoint now);
  void forget_batches(Job& job) const;
  /// Saves what is predicted up to the first row that is not.
  void save_predictions(Job& job, TimePoint now, Actions& actions);
  void save_predictions_if_due(Job& job, TimePoint now, Actions& actions);
  /// When they are, if nothing else happens.
  [[nodiscard]] std::optional<TimePoint> next_save_of_predictions(const Job& job) const;
  /// A range is durable.
  void finish_range(Job& job, PredictedRange range);
  /// The job's tasks that were never offered are tasks no more.
  void reclaim_batches(Job& job);
  void end_if_all_predicted(Job& job, TimePoint now, Actions& actions);
  void check_prediction(const Job& job) const;

  /// What a ticket was for.
  struct Pending {
    std::uint64_t ticket = 0;
    std::string job;
    std::optional<Checkpoint> checkpoint;  ///< A round; else a range; else the job's move.
    TimePoint since{};                     ///< When the ticket was given.
    std::optional<PredictedRange> range{};
  };

  /// An offer that is out, as its job was charged for it.
  struct Bill {
    FairShare::Charge charge;
    TimePoint offered_at{};
  };

  SchedulerOptions options_;
  std::unique_ptr<Policy> policy_;
  std::mt19937_64 jitter_;
  NodeRegistry nodes_;
  JobTable jobs_;
  FairShare shares_;                     // between the jobs that run
  NodeShares node_shares_;               // in local mode
  std::vector<JobNumber> shared_among_;  // the jobs and nodes that these are for
  std::vector<NodeSupply> shared_out_;
  TimePoint share_again_{};
  std::map<TaskId, Bill> bills_;  // of all offers that are out
  double seconds_per_work_ = 0;   // moving average over all tasks; 0 while unknown
  std::deque<Pending> unsaved_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t saved_ticket_ = 0;
};

}  // namespace gradmill::coordinator
