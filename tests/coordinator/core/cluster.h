// A cluster for tests of the scheduler: fake nodes, a manual clock, and books of what it was told.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {

/// The scheduler under test and the simplest possible world around it: nothing happens unless the
/// test says so, and the clock stands still until pass(). Every answer of the scheduler is checked
/// against the world's own books, and check_invariants() runs after each event.
///
/// Known limits: offers and cancels arrive at once; a node that is down still answers if told to.
class Cluster {
 public:
  /// An offer that has not been answered.
  struct Offer {
    NodeId node = 0;
    TaskOffer task;
    bool cancelled = false;
  };

  /// One job runs at a time.
  explicit Cluster(std::string_view policy,
                   Duration capacity_timeout = std::chrono::seconds(60),
                   std::uint64_t seed = 1);
  Cluster(std::string_view policy, const SchedulerOptions& options);

  /// A node that is up, or that has never answered.
  NodeId add_node(std::uint32_t slots = 1);
  NodeId add_dead_node();
  /// The node answers: for the first time or again, or as a new process.
  void up(NodeId node);
  void restart(NodeId node);
  void down(NodeId node, const std::string& why = "connection refused", Duration took = Duration{});
  /// It says that it takes no more work.
  void leave(NodeId node);
  /// By hand.
  void remove_node(NodeId node);
  void readd_node(NodeId node);
  /// Silence does nothing to nodes unless a test asks for it.
  static FailureDetection no_detection() {
    return {Duration::max(), Duration::max(), Duration::max()};
  }

  /// A job of `shards` shards with 10, 20, 30, ... rows.
  void submit(const std::string& job,
              std::uint32_t shards,
              std::uint32_t rounds = 1,
              std::uint32_t early_stop = 0);
  void submit(const std::string& job, std::uint32_t shards, const JobSpecification& like);
  /// A prediction job over one shard of so many rows.
  void submit_prediction(const std::string& job, std::uint64_t rows, std::uint32_t batch_rows);
  void set_batch_rows(const std::string& job, std::uint32_t batch_rows);
  /// Of the jobs that are submitted from now on.
  void set_share(const JobShare& share) { share_ = share; }
  /// The validation errors of rounds 1, 2, ... of every job; 1 / round beyond them.
  void set_errors(std::vector<double> errors) { errors_ = std::move(errors); }
  void cancel(const std::string& job);
  void control(const std::string& job, JobCommand command);
  void set_scheduling(SchedulingMode mode);
  void end(const std::string& job, JobState state);
  void remove(const std::string& job);

  /// Answers to offers. accept() may be said of any offer, also twice or much too late; the others
  /// end the offer.
  void accept(const TaskId& task);
  void refuse(const TaskId& task);
  void finish(const TaskId& task);
  void finish(const TaskId& task, const std::string& delta);
  void fail(const TaskId& task, const std::string& why = "sent garbage");
  void diverge(const TaskId& task);
  void lose(const TaskId& task, const std::optional<std::string>& fault);
  /// accept() and finish().
  void complete(const TaskId& task);

  /// Whether a round waits for the server's step; makes the oldest one; answers as if some round's
  /// was made.
  [[nodiscard]] bool has_round_to_advance() const { return !to_advance_.empty(); }
  void advance_round();
  void advance_round(const std::string& job, std::uint32_t round);
  /// The step gave weights that are not finite.
  void spoil_round();
  /// As above, for validation; the oldest round first.
  [[nodiscard]] bool has_round_to_validate() const { return !to_validate_.empty(); }
  void validate_round();
  void validate_round(const std::string& job, std::uint32_t round);
  /// Step and validation, one after the other.
  void close_round();
  void close_round(const std::string& job, std::uint32_t round);

  /// Records are durable at once, unless hold_saves() was called, until save_all().
  void hold_saves() { saves_held_ = true; }
  void save_all();
  /// How many rows of the prediction job were saved: all from the first one on, each once.
  [[nodiscard]] std::uint64_t rows_saved(const std::string& job) const;
  /// Everything that became durable, in order.
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  [[nodiscard]] const std::vector<Note>& notes() const { return notes_; }

  /// Lets time pass, with a tick at every wake-up on the way.
  void pass(Duration duration);
  /// Lets time pass without a tick, as when an event comes before the clock does.
  void jump(Duration duration) { now_ += duration; }
  /// Ticks at the next wake-up, if there is one within `limit`.
  bool pass_to_wakeup(Duration limit = std::chrono::hours(1));

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  [[nodiscard]] const Job& job(const std::string& id) const { return *scheduler_.find(id); }
  [[nodiscard]] JobState state(const std::string& id) const { return job(id).state; }
  [[nodiscard]] NodeTally tally(const std::string& job, NodeId node) const;
  /// Offers that have not been answered, in order of their making.
  [[nodiscard]] const std::vector<Offer>& offers() const { return offers_; }
  /// Those that are still wanted, of one node or of all.
  [[nodiscard]] std::vector<TaskId> wanted(std::optional<NodeId> node = std::nullopt) const;
  /// The only wanted offer (of the node); fails the test if it is not the only one.
  [[nodiscard]] TaskId only(std::optional<NodeId> node = std::nullopt) const;
  [[nodiscard]] NodeId node_of(const TaskId& task) const;
  [[nodiscard]] bool is_cancelled(const TaskId& task) const;
  [[nodiscard]] std::uint32_t in_flight(NodeId node) const;
  [[nodiscard]] std::size_t nodes() const { return incarnations_.size(); }
  [[nodiscard]] bool is_up(NodeId node) const { return up_.contains(node); }
  [[nodiscard]] const std::vector<std::string>& ended() const { return ended_; }
  [[nodiscard]] std::uint64_t ticks() const { return ticks_; }
  [[nodiscard]] std::uint64_t offers_made() const { return seen_.size(); }

 private:
  Offer take(const TaskId& task);
  void check_training(const TaskOffer& offer) const;
  void absorb(const Actions& actions);
  void expect_progress() const;
  void expect_progress(const Job& first) const;
  void note(const OfferTask& action);
  void note(const CancelTask& action);
  void note(const AdvanceRound& action);
  void note(const ValidateRound& action);
  void note(const JobEnded& action);
  void note(const Save& action);
  void note(const WatchNode& action);
  void note(const UnwatchNode& action);
  void note(const Note& action);
  [[nodiscard]] NodeHello hello(NodeId node) const;
  [[nodiscard]] double error_of(std::uint32_t round) const;
  [[nodiscard]] std::uint32_t round_of_weights(const Job& job) const;

  Scheduler scheduler_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  std::vector<std::uint64_t> incarnations_;  // by node
  std::vector<std::uint32_t> slots_;         // by node
  std::set<NodeId> up_;
  std::vector<Offer> offers_;
  std::set<TaskId> seen_;  // every offer ever made
  std::deque<AdvanceRound> to_advance_;
  JobShare share_;
  std::deque<ValidateRound> to_validate_;
  std::map<std::string, std::uint32_t> advanced_;   // rounds of each job, as asked for
  std::map<std::string, std::uint32_t> validated_;  // likewise
  std::map<std::string, std::uint64_t> rows_saved_;
  std::vector<double> errors_;
  std::vector<std::string> ended_;
  std::uint64_t ticks_ = 0;
  std::deque<Save> saves_;  // not durable yet
  std::vector<Record> records_;
  std::vector<Note> notes_;
  bool saves_held_ = false;
};

/// The delta that a fake node returns for a task.
[[nodiscard]] std::string delta_of(const TaskId& task);
/// Likewise the predictions: the class of a row is its number.
[[nodiscard]] std::string predictions_of(const RowRange& rows);
/// What stands for a job's weights after a round, and for a shard of it.
[[nodiscard]] std::string weights_of(const std::string& job, std::uint32_t round);
[[nodiscard]] std::string shard_name(const std::string& job, std::uint32_t shard);

}  // namespace gradmill::coordinator
