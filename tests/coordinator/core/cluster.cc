#include "coordinator/core/cluster.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
std::string weights_of(const std::string& job, std::uint32_t round) {
  return "weights of " + job + " after round " + std::to_string(round);
}

std::string shard_name(const std::string& job, std::uint32_t shard) {
  return "shard " + std::to_string(shard) + " of " + job;
}

std::string delta_of(const TaskId& task) {
  return "delta of " + task.job + " " + std::to_string(task.round) + " " +
         std::to_string(task.shard);
}

std::string predictions_of(const RowRange& rows) {
  std::string bytes;
  for (std::uint64_t row = rows.first; row < rows.first + rows.count; ++row) {
    bytes += static_cast<char>(row & 0xffU);
    bytes += static_cast<char>((row >> 8U) & 0xffU);
  }
  return bytes + std::string(rows.count * sizeof(float), '\0');
}

Cluster::Cluster(std::string_view policy, Duration capacity_timeout, std::uint64_t seed)
    : Cluster(policy,
              {.capacity_timeout = capacity_timeout,
               .detection = no_detection(),
               .running_jobs_max = 1,
               .seed = seed}) {}

Cluster::Cluster(std::string_view policy, const SchedulerOptions& options)
    : scheduler_(options, make_policy(policy, options.seed)) {}

NodeId Cluster::add_node(std::uint32_t slots) {
  const NodeId node = add_dead_node();
  slots_[node] = slots;
  up(node);
  return node;
}

NodeId Cluster::add_dead_node() {
  const auto node = static_cast<NodeId>(incarnations_.size());
  incarnations_.push_back(1);
  slots_.push_back(1);
  absorb(scheduler_.add_node(
      {"node", static_cast<std::uint16_t>(4100 + node)}, NodeSource::kListed, now_));
  return node;
}

NodeHello Cluster::hello(NodeId node) const {
  return {.incarnation = std::to_string(incarnations_.at(node)),
          .kernel_id = ml::kernel_id(),
          .slots = slots_.at(node)};
}

void Cluster::up(NodeId node) {
  up_.insert(node);
  absorb(scheduler_.heartbeat(node, {.hello = hello(node)}, now_));
}

void Cluster::restart(NodeId node) {
  ++incarnations_.at(node);
  const std::vector<TaskId> leases = wanted(node);
  up(node);
  for (const TaskId& lease : leases) {
    EXPECT_TRUE(is_cancelled(lease)) << "the process that had it is gone";
  }
}

void Cluster::leave(NodeId node) {
  absorb(scheduler_.heartbeat(node, {.hello = hello(node), .leaving = true}, now_));
}

void Cluster::remove_node(NodeId node) { absorb(scheduler_.remove_node(node, now_)); }

void Cluster::readd_node(NodeId node) {
  absorb(scheduler_.add_node(scheduler_.nodes().at(node).address, NodeSource::kAdded, now_));
}

void Cluster::down(NodeId node, const std::string& why, Duration took) {
  up_.erase(node);
  absorb(scheduler_.node_gone(node, why, took, now_));
}

void Cluster::submit(const std::string& job,
                     std::uint32_t shards,
                     std::uint32_t rounds,
                     std::uint32_t early_stop) {
  JobSpecification like;
  like.rounds = rounds;
  like.early_stop = early_stop;
  submit(job, shards, like);
}

void Cluster::submit(const std::string& job, std::uint32_t shards, const JobSpecification& like) {
  auto specification = std::make_shared<JobSpecification>(like);
  specification->rule.topology.units = {2, 2};
  JobSubmission submission;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    specification->shards.push_back(make_blob(shard_name(job, shard)).ref);
    submission.shard_rows.push_back(10 * (shard + 1));
  }
  submission.id = job;
  submission.specification = std::move(specification);
  submission.weights = make_blob(weights_of(job, 0));
  submission.share = share_;
  absorb(scheduler_.submit(std::move(submission), now_));
}

void Cluster::submit_prediction(const std::string& job,
                                std::uint64_t rows,
                                std::uint32_t batch_rows) {
  JobSpecification specification;
  specification.shards = {make_blob(shard_name(job, 0)).ref};
  specification.prediction.emplace();
  specification.prediction->batch_rows = batch_rows;
  specification.prediction->model.file = make_blob(weights_of(job, 0)).ref;
  JobSubmission submission;
  submission.id = job;
  submission.specification = std::make_shared<const JobSpecification>(std::move(specification));
  submission.shard_rows = {rows};
  submission.weights = make_blob(weights_of(job, 0));
  submission.share = share_;
  absorb(scheduler_.submit(std::move(submission), now_));
}

void Cluster::set_batch_rows(const std::string& job, std::uint32_t batch_rows) {
  absorb(scheduler_.set_batch_rows(job, batch_rows, now_));
}

void Cluster::cancel(const std::string& job) { control(job, JobCommand::kCancel); }

void Cluster::set_scheduling(SchedulingMode mode) { absorb(scheduler_.set_scheduling(mode, now_)); }

void Cluster::control(const std::string& job, JobCommand command) {
  absorb(scheduler_.control(job, command, now_));
}

void Cluster::end(const std::string& job, JobState state) {
  absorb(scheduler_.end(job, state, {"internal", "the test says so"}, now_));
}

void Cluster::remove(const std::string& job) { absorb(scheduler_.remove(job, now_)); }

Cluster::Offer Cluster::take(const TaskId& task) {
  const auto found = std::find_if(
      offers_.begin(), offers_.end(), [&](const Offer& offer) { return offer.task.id == task; });
  EXPECT_NE(found, offers_.end()) << "the test answers an offer that is not out";
  Offer offer = std::move(*found);
  offers_.erase(found);
  return offer;
}

void Cluster::accept(const TaskId& task) { absorb(scheduler_.task_accepted(task, now_)); }

// The argument may live in the books, which take() changes: what follows uses its copy.

void Cluster::refuse(const TaskId& task) {
  const Offer offer = take(task);
  absorb(scheduler_.task_refused(offer.node, offer.task.id, now_));
}

void Cluster::finish(const TaskId& task) {
  const auto offer = std::find_if(
      offers_.begin(), offers_.end(), [&](const Offer& one) { return one.task.id == task; });
  const bool predicts = offer != offers_.end() && offer->task.rows;
  finish(task, predicts ? predictions_of(*offer->task.rows) : delta_of(task));
}

void Cluster::finish(const TaskId& task, const std::string& delta) {
  const Offer offer = take(task);
  TaskResult result;
  result.delta = make_blob(delta);
  result.compute_seconds = 0.5;
  absorb(scheduler_.task_done(offer.node, offer.task.id, std::move(result), now_));
}

void Cluster::fail(const TaskId& task, const std::string& why) {
  const Offer offer = take(task);
  absorb(scheduler_.task_failed(offer.node, offer.task.id, LossReason::kInvalidResult, why, now_));
}

void Cluster::diverge(const TaskId& task) {
  const Offer offer = take(task);
  absorb(scheduler_.task_diverged(offer.node, offer.task.id, now_));
}

void Cluster::lose(const TaskId& task, const std::optional<std::string>& fault) {
  const Offer offer = take(task);
  const LossReason reason = fault ? LossReason::kConnectionLost : LossReason::kBusy;
  absorb(scheduler_.task_lost(offer.node, offer.task.id, reason, fault, now_));
}

void Cluster::complete(const TaskId& task) {
  accept(task);
  finish(task);
}

void Cluster::advance_round() {
  ASSERT_FALSE(to_advance_.empty());
  const AdvanceRound advance = std::move(to_advance_.front());
  to_advance_.pop_front();
  advance_round(advance.job, advance.round);
}

void Cluster::advance_round(const std::string& job, std::uint32_t round) {
  RoundStep step;
  step.weights = make_blob(weights_of(job, round));
  step.server =
      std::make_shared<const ml::ServerState>(ml::ServerState{{static_cast<double>(round)}, {}});
  absorb(scheduler_.round_advanced(job, round, std::move(step), now_));
}

void Cluster::spoil_round() {
  ASSERT_FALSE(to_advance_.empty());
  const AdvanceRound advance = std::move(to_advance_.front());
  to_advance_.pop_front();
  absorb(scheduler_.round_diverged(advance.job, advance.round, now_));
}

void Cluster::validate_round() {
  ASSERT_FALSE(to_validate_.empty());
  const ValidateRound validate = std::move(to_validate_.front());
  to_validate_.pop_front();
  validate_round(validate.job, validate.round);
}

void Cluster::validate_round(const std::string& job, std::uint32_t round) {
  absorb(scheduler_.round_validated(job, round, {.error = error_of(round), .seconds = 0}, now_));
}

void Cluster::close_round() {
  advance_round();
  validate_round();
}

void Cluster::close_round(const std::string& job, std::uint32_t round) {
  advance_round(job, round);
  validate_round(job, round);
}

double Cluster::error_of(std::uint32_t round) const {
  return round <= errors_.size() ? errors_[round - 1] : 1.0 / round;
}

void Cluster::pass(Duration duration) {
  const TimePoint end = now_ + duration;
  while (pass_to_wakeup(end - now_)) {
  }
  now_ = end;
}

bool Cluster::pass_to_wakeup(Duration limit) {
  const std::optional<TimePoint> wakeup = scheduler_.wakeup(now_);
  if (!wakeup) {
    return false;
  }
  EXPECT_GT(*wakeup, now_);
  if (*wakeup > now_ + limit) {
    return false;
  }
  now_ = *wakeup;
  ++ticks_;
  absorb(scheduler_.tick(now_));
  return true;
}

NodeTally Cluster::tally(const std::string& id, NodeId node) const {
  const auto found = job(id).tallies.find(node);
  return found == job(id).tallies.end() ? NodeTally{} : found->second;
}

std::uint64_t Cluster::rows_saved(const std::string& job) const {
  const auto found = rows_saved_.find(job);
  return found == rows_saved_.end() ? 0 : found->second;
}

std::vector<TaskId> Cluster::wanted(std::optional<NodeId> node) const {
  std::vector<TaskId> tasks;
  for (const Offer& offer : offers_) {
    if (!offer.cancelled && (!node || offer.node == *node)) {
      tasks.push_back(offer.task.id);
    }
  }
  return tasks;
}

TaskId Cluster::only(std::optional<NodeId> node) const {
  const std::vector<TaskId> tasks = wanted(node);
  EXPECT_EQ(tasks.size(), 1U);
  return tasks.empty() ? TaskId{} : tasks.front();
}

NodeId Cluster::node_of(const TaskId& task) const {
  for (const Offer& offer : offers_) {
    if (offer.task.id == task) {
      return offer.node;
    }
  }
  ADD_FAILURE() << "the offer is not out";
  return 0;
}

bool Cluster::is_cancelled(const TaskId& task) const {
  return std::any_of(offers_.begin(), offers_.end(), [&](const Offer& offer) {
    return offer.task.id == task && offer.cancelled;
  });
}

std::uint32_t Cluster::in_flight(NodeId node) const {
  return scheduler_.nodes().view(node, now_).in_flight;
}

void Cluster::absorb(const Actions& actions) {
  for (const Action& action : actions) {
    std::visit([this](const auto& one) { note(one); }, action);
  }
  scheduler_.check_invariants();
  if (!saves_held_ && !saves_.empty()) {
    save_all();
  } else {
    expect_progress();
  }
}

void Cluster::save_all() {
  saves_held_ = false;
  if (saves_.empty()) {
    return;
  }
  const std::uint64_t ticket = saves_.back().ticket;
  for (Save& save : saves_) {
    records_.push_back(std::move(save.record));
  }
  saves_.clear();
  absorb(scheduler_.saved(ticket, now_));
}

void Cluster::note(const Save& action) {
  EXPECT_EQ(action.ticket,
            saves_.empty() ? scheduler_.saved_ticket() + 1 : saves_.back().ticket + 1);
  saves_.push_back(action);
  if (const auto* const predicted = std::get_if<RowsPredicted>(&action.record)) {
    const PredictedRange& range = predicted->range;
    const RowRange rows = {range.first_row, static_cast<std::uint32_t>(range.rows)};
    EXPECT_EQ(range.first_row, rows_saved_[predicted->job]);
    EXPECT_EQ(*range.predictions.bytes, predictions_of(rows));
    rows_saved_[predicted->job] += range.rows;
  }
}

void Cluster::note(const WatchNode& /*action*/) {}
void Cluster::note(const UnwatchNode& /*action*/) {}
void Cluster::note(const Note& action) { notes_.push_back(action); }

}  // namespace gradmill::coordinator
