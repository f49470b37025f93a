// From a complete round to the next: the server's step, validation beside training, stopping early,
// and divergence.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Completes what is offered until nothing is, and makes the server's step.
void train_round(Cluster& cluster) {
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
  }
  cluster.advance_round();
}

BlobRef weights_after(std::uint32_t round) {
  return make_blob("weights of job after round " + std::to_string(round)).ref;
}

class SchedulerRounds : public testing::Test {
 protected:
  SchedulerRounds() { cluster_.add_node(); }
  [[nodiscard]] const Job& job() const { return cluster_.job("job"); }

  Cluster cluster_{"load-balancing"};
};

TEST_F(SchedulerRounds, TheNextRoundStartsBeforeTheLastIsValidated) {
  cluster_.submit("job", 2, 3);
  train_round(cluster_);
  EXPECT_EQ(cluster_.only().round, 2U);
  EXPECT_THAT(job().finished, IsEmpty());
  EXPECT_EQ(job().durable.result().ref, weights_after(0))
      << "round 1 counts once its error is known";
  train_round(cluster_);
  EXPECT_EQ(cluster_.only().round, 3U);
  cluster_.validate_round();
  EXPECT_THAT(job().finished, SizeIs(1));
  EXPECT_EQ(job().durable.result().ref, weights_after(1));
  train_round(cluster_);
  EXPECT_EQ(job().state, JobState::kRunning) << "two rounds are not validated";
  cluster_.validate_round();
  cluster_.validate_round();
  EXPECT_EQ(job().state, JobState::kSucceeded);
  EXPECT_EQ(job().durable.result().ref, weights_after(3));
  EXPECT_EQ(job().durable.best_round, 0U);
  EXPECT_DOUBLE_EQ(job().finished.at(2).validation_error.value(), 1.0 / 3);
}

TEST_F(SchedulerRounds, TrainingWaitsForValidationsThatFallBehind) {
  cluster_.submit("job", 1, 4);
  train_round(cluster_);
  train_round(cluster_);
  cluster_.complete(cluster_.only());
  EXPECT_FALSE(cluster_.has_round_to_advance());
  EXPECT_EQ(cluster_.scheduler().wakeup(cluster_.now()), std::nullopt);
  cluster_.validate_round();
  ASSERT_TRUE(cluster_.has_round_to_advance());
  cluster_.advance_round();
  EXPECT_EQ(cluster_.only().round, 4U);
}

TEST_F(SchedulerRounds, ValidationsOfOtherRoundsChangeNothing) {
  cluster_.submit("job", 1, 3);
  cluster_.validate_round("job", 1);
  train_round(cluster_);
  train_round(cluster_);
  cluster_.validate_round("job", 2);
  cluster_.validate_round("nobody", 1);
  EXPECT_THAT(job().finished, IsEmpty());
  cluster_.validate_round();
  cluster_.validate_round("job", 1);
  EXPECT_THAT(job().finished, SizeIs(1));
}

TEST_F(SchedulerRounds, ACancelledJobKeepsTheLastFinishedRound) {
  cluster_.submit("job", 1, 3);
  train_round(cluster_);
  cluster_.validate_round();
  train_round(cluster_);
  cluster_.cancel("job");
  cluster_.validate_round("job", 2);
  EXPECT_EQ(job().durable.result().ref, weights_after(1));
  EXPECT_THAT(job().finished, SizeIs(1));
}

/// Trains and validates until no job is left; with `late`, validates only where training waits.
void run(Cluster& cluster, bool late) {
  for (int step = 0; step < 100 && !cluster.scheduler().live_jobs().empty(); ++step) {
    if (cluster.has_round_to_validate() && !late) {
      cluster.validate_round();
    } else if (cluster.has_round_to_advance()) {
      cluster.advance_round();
    } else if (!cluster.wanted().empty()) {
      cluster.complete(cluster.wanted().front());
    } else {
      cluster.validate_round();
    }
  }
}

TEST(SchedulerEarlyStop, KeepsTheBestRoundWhateverTheTiming) {
  for (const bool late : {false, true}) {
    SCOPED_TRACE(late);
    Cluster cluster("load-balancing");
    cluster.add_node();
    cluster.set_errors({0.5, 0.3, 0.4, 0.3, 0.2, 0.1});
    cluster.submit("job", 1, 6, 2);
    run(cluster, late);
    const Job& job = cluster.job("job");
    EXPECT_EQ(job.state, JobState::kSucceeded);
    EXPECT_EQ(job.end.reason, "succeeded");
    EXPECT_THAT(job.end.message, HasSubstr("stopped early: 2 rounds without a lower"));
    EXPECT_THAT(job.end.message, HasSubstr("round 2"));
    EXPECT_THAT(job.finished, SizeIs(4)) << "an equal error is not lower";
    EXPECT_EQ(job.durable.best_round, 2U);
    EXPECT_EQ(job.durable.result().ref, weights_after(2));
  }
}

TEST_F(SchedulerRounds, EarlyStopNamesTheBestRoundWhileItRunsAndWhenAllAreDone) {
  cluster_.set_errors({0.5, 0.2, 0.4});
  cluster_.submit("job", 1, 3, 2);
  train_round(cluster_);
  EXPECT_EQ(job().durable.best_round, 0U);
  cluster_.validate_round();
  EXPECT_EQ(job().durable.best_round, 1U);
  train_round(cluster_);
  cluster_.validate_round();
  train_round(cluster_);
  EXPECT_EQ(job().durable.best_round, 2U);
  EXPECT_EQ(job().durable.result().ref, weights_after(2));
  cluster_.validate_round();
  EXPECT_EQ(job().state, JobState::kSucceeded);
  EXPECT_EQ(job().durable.result().ref, weights_after(2));
  EXPECT_EQ(job().end.message, "all rounds are done; round 2 has the lowest validation error");
}

TEST_F(SchedulerRounds, TheOnlyNodeIsBelievedWhenItDiverges) {
  cluster_.submit("job", 3, 3);
  train_round(cluster_);
  cluster_.validate_round();
  cluster_.diverge(cluster_.only());
  EXPECT_EQ(job().state, JobState::kFailed);
  EXPECT_EQ(job().end.reason, "diverged");
  EXPECT_THAT(job().end.message, HasSubstr("shard 1 is no longer finite in round 2"));
  EXPECT_THAT(job().end.message, HasSubstr("smaller eta"));
  EXPECT_THAT(job().end.message, HasSubstr("weights of round 1 are kept"));
  EXPECT_EQ(job().durable.result().ref, weights_after(1));
}

TEST_F(SchedulerRounds, DivergenceInTheFirstRoundKeepsTheInitialWeights) {
  cluster_.submit("job", 1);
  cluster_.diverge(cluster_.only());
  EXPECT_THAT(job().end.message, HasSubstr("initial weights are kept"));
  EXPECT_EQ(job().durable.result().ref, weights_after(0));
}

TEST_F(SchedulerRounds, DivergenceTakesASecondNodeThatSaysSo) {
  cluster_.add_node();
  cluster_.submit("job", 1);
  const TaskId first = cluster_.only();
  const NodeId liar = cluster_.node_of(first);
  cluster_.accept(first);
  cluster_.diverge(first);
  EXPECT_EQ(job().state, JobState::kRunning);
  const TaskId second = cluster_.only();
  EXPECT_NE(cluster_.node_of(second), liar);
  EXPECT_EQ(cluster_.tally("job", liar).failed, 0U);
  EXPECT_TRUE(cluster_.scheduler().nodes().usable(liar, cluster_.now()));
  cluster_.diverge(second);
  EXPECT_EQ(job().end.reason, "diverged");
}

TEST_F(SchedulerRounds, ABrokenNodeAloneCannotEndTheJob) {
  cluster_.add_node();
  cluster_.submit("job", 1);
  const NodeId liar = cluster_.node_of(cluster_.only());
  cluster_.diverge(cluster_.only());
  for (int tries = 0; tries < 2; ++tries) {
    cluster_.refuse(cluster_.only());
    EXPECT_THAT(cluster_.wanted(liar), IsEmpty()) << "it is not asked again";
    cluster_.pass(1s);
  }
  cluster_.complete(cluster_.only());
  cluster_.close_round();
  EXPECT_EQ(job().state, JobState::kSucceeded);
}

TEST_F(SchedulerRounds, WhoIsLeftIsBelievedWhenTheOthersGo) {
  cluster_.add_node();
  cluster_.submit("job", 1);
  cluster_.diverge(cluster_.only());
  cluster_.down(cluster_.node_of(cluster_.only()));
  EXPECT_EQ(job().end.reason, "diverged");
}

TEST_F(SchedulerRounds, DivergenceWaitsForTheValidationOfTheRoundBefore) {
  cluster_.submit("job", 2, 3);
  cluster_.submit("next", 1);
  train_round(cluster_);
  cluster_.diverge(cluster_.only());
  EXPECT_EQ(job().state, JobState::kRunning);
  EXPECT_THAT(cluster_.wanted(), IsEmpty());
  cluster_.validate_round();
  EXPECT_EQ(job().end.reason, "diverged");
  EXPECT_EQ(job().durable.result().ref, weights_after(1));
  EXPECT_EQ(cluster_.only().job, "next");
}

TEST_F(SchedulerRounds, StoppingEarlyComesBeforeTheDivergenceOfALaterRound) {
  cluster_.set_errors({0.1, 0.2});
  cluster_.submit("job", 1, 4, 1);
  train_round(cluster_);
  train_round(cluster_);
  cluster_.diverge(cluster_.only());
  cluster_.validate_round();
  cluster_.validate_round();
  EXPECT_EQ(job().state, JobState::kSucceeded);
  EXPECT_EQ(job().durable.best_round, 1U);
}

TEST_F(SchedulerRounds, WeightsThatAreNotFiniteEndTheJobWithThoseBefore) {
  cluster_.submit("job", 1, 3);
  train_round(cluster_);
  cluster_.complete(cluster_.only());
  cluster_.spoil_round();
  cluster_.validate_round();
  EXPECT_EQ(job().state, JobState::kFailed);
  EXPECT_EQ(job().end.reason, "diverged");
  EXPECT_THAT(job().end.message, HasSubstr("after round 2"));
  EXPECT_EQ(job().durable.result().ref, weights_after(1));
}

}  // namespace
}  // namespace gradmill::coordinator
