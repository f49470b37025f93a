// What is durable, what waits for it, and what a restart finds.
#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

void train_round(Cluster& cluster) {
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
  }
  cluster.close_round();
}

class SchedulerDurability : public testing::Test {
 protected:
  SchedulerDurability() { cluster_.add_node(); }
  [[nodiscard]] const Job& job() const { return cluster_.job("job"); }

  Cluster cluster_{"load-balancing"};
};

TEST_F(SchedulerDurability, ARoundIsFinishedOnceItIsDurable) {
  cluster_.submit("job", 1, 3);
  cluster_.hold_saves();
  train_round(cluster_);
  EXPECT_THAT(job().finished, IsEmpty());
  EXPECT_EQ(cluster_.only().round, 2U) << "the next one does not wait";
  cluster_.save_all();
  EXPECT_THAT(job().finished, SizeIs(1));
}

TEST_F(SchedulerDurability, RoundsAreHeldBackWhileOneIsNotDurableForTooLong) {
  cluster_.submit("job", 1, 9);
  cluster_.hold_saves();
  train_round(cluster_);
  cluster_.jump(51ms);
  train_round(cluster_);
  EXPECT_THAT(cluster_.wanted(), IsEmpty());
  cluster_.save_all();
  EXPECT_EQ(cluster_.only().round, 3U);
}

TEST_F(SchedulerDurability, AJobHasEndedOnceThatIsDurable) {
  cluster_.submit("job", 1, 1);
  cluster_.submit("next", 1, 1);
  cluster_.hold_saves();
  train_round(cluster_);
  EXPECT_EQ(job().state, JobState::kRunning);
  cluster_.save_all();
  EXPECT_EQ(job().state, JobState::kSucceeded);
  EXPECT_EQ(cluster_.only().job, "next");
}

TEST_F(SchedulerDurability, RecordsComeInTheOrderThatARestartNeeds) {
  cluster_.submit("job", 1, 2);
  train_round(cluster_);
  train_round(cluster_);
  const std::vector<Record>& records = cluster_.records();
  ASSERT_THAT(records, SizeIs(4));
  EXPECT_TRUE(std::holds_alternative<JobAdded>(records[0]));
  EXPECT_EQ(std::get<RoundFinished>(records[1]).checkpoint.round, 1U);
  EXPECT_EQ(std::get<RoundFinished>(records[2]).checkpoint.round, 2U);
  EXPECT_EQ(std::get<JobMoved>(records[3]).state, JobState::kSucceeded);
}

TEST_F(SchedulerDurability, PauseKeepsTheLastValidatedRoundAndResumeGoesOnFromIt) {
  cluster_.submit("job", 1, 3);
  cluster_.submit("next", 1, 1);
  train_round(cluster_);
  const TaskId running = cluster_.only();
  cluster_.accept(running);
  cluster_.control("job", JobCommand::kPause);
  EXPECT_TRUE(cluster_.is_cancelled(running));
  EXPECT_EQ(job().state, JobState::kRunning) << "the node has not acknowledged it";
  cluster_.lose(running, std::nullopt);
  EXPECT_EQ(job().state, JobState::kPaused);
  cluster_.pass(100ms);
  EXPECT_EQ(cluster_.only().job, "next");
  cluster_.control("job", JobCommand::kResume);
  EXPECT_EQ(job().state, JobState::kPending);
  train_round(cluster_);
  EXPECT_EQ(cluster_.only().job, "job");
  EXPECT_EQ(cluster_.only().round, 2U);
  EXPECT_GT(cluster_.only().offer, running.offer) << "a late answer must not meet a new offer";
  train_round(cluster_);
  train_round(cluster_);
  EXPECT_EQ(job().state, JobState::kSucceeded);
}

TEST_F(SchedulerDurability, AJobIsNotForgottenWhileAnAnswerAboutItIsOnItsWay) {
  cluster_.submit("job", 1, 2);
  cluster_.complete(cluster_.only());
  cluster_.advance_round();
  cluster_.cancel("job");
  while (!cluster_.offers().empty()) {
    cluster_.lose(cluster_.offers().front().task.id, std::nullopt);
  }
  EXPECT_EQ(job().state, JobState::kCancelled);
  cluster_.remove("job");
  EXPECT_NE(cluster_.scheduler().find("job"), nullptr) << "the validation of round 1 is out";
  cluster_.validate_round("job", 1);
  cluster_.remove("job");
  EXPECT_EQ(cluster_.scheduler().find("job"), nullptr);
}

TEST_F(SchedulerDurability, APausedOrPendingJobCanBeCancelled) {
  cluster_.submit("first", 1, 1);
  cluster_.submit("job", 1, 1);
  cluster_.control("job", JobCommand::kPause);
  EXPECT_EQ(job().state, JobState::kPaused);
  cluster_.control("job", JobCommand::kPause);
  cluster_.cancel("job");
  EXPECT_EQ(job().state, JobState::kCancelled);
  cluster_.control("job", JobCommand::kResume);
  EXPECT_EQ(job().state, JobState::kCancelled);
}

/// A job as a store would give it back after `rounds` rounds.
StoredJob stored(const std::string& id, std::uint32_t rounds, std::uint32_t of) {
  StoredJob job;
  auto specification = std::make_shared<JobSpecification>();
  specification->rule.topology.units = {2, 2};
  specification->rounds = of;
  specification->shards.push_back(make_blob("shard").ref);
  job.job = id;
  job.specification = specification;
  job.shard_rows = {10};
  job.checkpoint.round = rounds;
  job.checkpoint.weights = make_blob("weights " + std::to_string(rounds));
  job.checkpoint.server = std::make_shared<const ml::ServerState>();
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    job.rounds.emplace_back().round = round;
  }
  return job;
}

template <class T>
std::vector<T> of_kind(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const auto* const one = std::get_if<T>(&action)) {
      found.push_back(*one);
    }
  }
  return found;
}

class SchedulerRestore : public testing::Test {
 protected:
  void restore(std::vector<StoredJob> jobs) {
    actions_ = scheduler_.restore(std::move(jobs), {{{"node", 1}, NodeSource::kJoined}}, now_);
    scheduler_.check_invariants();
  }
  void node_up() {
    const NodeHello hello = {"a", std::string(ml::kernel_id()), 1};
    actions_ = scheduler_.heartbeat(0, {.hello = hello}, now_);
    scheduler_.check_invariants();
  }
  [[nodiscard]] JobState state(const std::string& job) const { return scheduler_.find(job)->state; }

  const TimePoint now_ = TimePoint{} + 1h;
  Scheduler scheduler_{{.running_jobs_max = 1, .epoch = 3}, make_policy("load-balancing", 1)};
  Actions actions_;
};

TEST_F(SchedulerRestore, TheJobThatRanGoesOnAfterItsLastDurableRound) {
  restore({stored("job", 2, 5), stored("next", 0, 5)});
  EXPECT_EQ(state("job"), JobState::kRecovering);
  EXPECT_EQ(state("next"), JobState::kPending);
  EXPECT_THAT(of_kind<WatchNode>(actions_), SizeIs(1));
  node_up();
  const std::vector<OfferTask> offers = of_kind<OfferTask>(actions_);
  ASSERT_THAT(offers, SizeIs(1));
  EXPECT_EQ(offers[0].offer.id.round, 3U);
  EXPECT_GT(offers[0].offer.id.offer, 2U << 20U) << "no number of an earlier start";
  EXPECT_EQ(offers[0].offer.weights.ref, make_blob("weights 2").ref);
  static_cast<void>(scheduler_.task_accepted(offers[0].offer.id, now_));
  EXPECT_EQ(state("job"), JobState::kRunning);
}

TEST_F(SchedulerRestore, AJobWhoseRoundsAreAllDurableEnds) {
  StoredJob done = stored("job", 5, 5);
  restore({done});
  const std::vector<Save> saves = of_kind<Save>(actions_);
  ASSERT_THAT(saves, SizeIs(1));
  EXPECT_EQ(std::get<JobMoved>(saves[0].record).state, JobState::kSucceeded);
  static_cast<void>(scheduler_.saved(saves[0].ticket, now_));
  EXPECT_EQ(state("job"), JobState::kSucceeded);
}

TEST_F(SchedulerRestore, PausedAndEndedJobsStayWhatTheyWere) {
  StoredJob paused = stored("paused", 1, 5);
  paused.state = JobState::kPaused;
  StoredJob failed = stored("failed", 1, 5);
  failed.state = JobState::kFailed;
  failed.end = {"diverged", "why"};
  failed.checkpoint.weights.bytes.reset();
  restore({paused, failed, stored("job", 0, 1)});
  EXPECT_EQ(state("paused"), JobState::kPaused);
  EXPECT_EQ(state("failed"), JobState::kFailed);
  EXPECT_EQ(scheduler_.find("failed")->end.reason, "diverged");
  EXPECT_EQ(state("job"), JobState::kRecovering);
  EXPECT_THAT(scheduler_.jobs(), ElementsAre("paused", "failed", "job"));
}

}  // namespace
}  // namespace gradmill::coordinator
