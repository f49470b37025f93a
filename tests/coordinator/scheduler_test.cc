// Jobs, rounds, slots and policies on a cluster whose nodes do as they should. What happens when
// they do not is in scheduler_faults_test.cc.
#include "coordinator/core/scheduler.h"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/cluster.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Completes what is offered until nothing is.
void work_off(Cluster& cluster) {
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
  }
}

std::set<std::uint32_t> shards_of(const std::vector<TaskId>& tasks) {
  std::set<std::uint32_t> shards;
  for (const TaskId& task : tasks) {
    shards.insert(task.shard);
  }
  return shards;
}

TEST(Scheduler, GivesEveryShardOnceAndEndsTheJob) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy);
    cluster.add_node();
    cluster.add_node();
    cluster.submit("job", 7, 3);
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(cluster.state("job"), JobState::kRunning);
      work_off(cluster);
      EXPECT_EQ(cluster.job("job").round->done(), 7U);
      cluster.close_round();
    }
    EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
    EXPECT_EQ(cluster.job("job").end.reason, "succeeded");
    EXPECT_EQ(cluster.offers_made(), 21U);
    EXPECT_THAT(cluster.job("job").finished, SizeIs(3));
    EXPECT_THAT(cluster.ended(), ElementsAre("job"));
    EXPECT_EQ(cluster.scheduler().wakeup(cluster.now()), std::nullopt);
  }
}

TEST(Scheduler, TellsTheNodeTheRuleOfThePolicy) {
  for (const auto& [policy, rule] : {std::pair{"random", LoadRule::kDelay},
                                     std::pair{"round-robin", LoadRule::kDelay},
                                     std::pair{"load-balancing", LoadRule::kRefuseOrDelay}}) {
    Cluster cluster(policy);
    cluster.add_node();
    cluster.submit("job", 1);
    EXPECT_EQ(cluster.offers().front().task.load_rule, rule) << policy;
  }
}

TEST(Scheduler, GivesRoundRobinTasksInTurnAndQueuesThem) {
  Cluster cluster("round-robin");
  const NodeId a = cluster.add_node();
  const NodeId b = cluster.add_node();
  cluster.submit("job", 5);
  EXPECT_THAT(cluster.wanted(), SizeIs(2));
  EXPECT_EQ(cluster.in_flight(a), 3U);
  EXPECT_EQ(cluster.in_flight(b), 2U);
  EXPECT_EQ(cluster.only(a).shard, 0U);
  cluster.complete(cluster.only(a));
  EXPECT_EQ(cluster.only(a).shard, 2U);
  EXPECT_EQ(cluster.only(b).shard, 1U);
}

TEST(Scheduler, FillsAllSlotsOfANode) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node(3);
  cluster.submit("job", 5);
  EXPECT_EQ(shards_of(cluster.wanted(node)), (std::set<std::uint32_t>{0, 1, 2}));
  cluster.complete(cluster.wanted(node).front());
  EXPECT_EQ(shards_of(cluster.wanted(node)), (std::set<std::uint32_t>{1, 2, 3}));
}

TEST(Scheduler, LoadBalancingKeepsTasksForABusyFastNode) {
  Cluster cluster("load-balancing");
  const NodeId fast = cluster.add_node();
  const NodeId slow = cluster.add_node();
  cluster.submit("job", 2, 2);
  // Per row, from the first round: 10 ms on the fast node, and 50 times as much on the other.
  const TaskId first = cluster.only(fast);
  const TaskId second = cluster.only(slow);
  cluster.accept(first);
  cluster.accept(second);
  const Duration unit = 100ms * (first.shard + 1);
  cluster.pass(unit);
  cluster.finish(first);
  cluster.pass(50 * 100ms * (second.shard + 1) - unit);
  cluster.finish(second);
  // Let the fast node's observation be as fresh as the slow one's, so that neither has faded.
  cluster.close_round();
  ASSERT_THAT(cluster.wanted(fast), SizeIs(1));
  EXPECT_THAT(cluster.wanted(slow), IsEmpty()) << "the second task waits for the fast node";
  const std::optional<TimePoint> wakeup = cluster.scheduler().wakeup(cluster.now());
  ASSERT_TRUE(wakeup.has_value());
  EXPECT_LE(*wakeup, cluster.now() + 250ms) << "views age, so the policy is asked again";
  cluster.complete(cluster.only(fast));
  EXPECT_THAT(cluster.wanted(fast), SizeIs(1));
  EXPECT_THAT(cluster.wanted(slow), IsEmpty());
}

TEST(Scheduler, LoadBalancingDoesNotHoldATaskForEver) {
  Cluster cluster("load-balancing");
  const NodeId fast = cluster.add_node();
  cluster.submit("warm-up", 1);
  cluster.accept(cluster.only());
  cluster.pass(100ms);
  cluster.finish(cluster.only());
  cluster.close_round();
  const NodeId slow = cluster.add_node();
  cluster.submit("job", 2, 2);
  cluster.accept(cluster.only(fast));
  cluster.accept(cluster.only(slow));
  const TaskId quick = cluster.only(fast);
  cluster.pass(200ms);
  cluster.finish(quick);
  cluster.pass(20s);
  cluster.finish(cluster.only(slow));
  cluster.close_round();
  ASSERT_THAT(cluster.wanted(slow), IsEmpty());
  // The fast node hangs at it; the idle one's bad mark fades, and it gets the other task.
  cluster.accept(cluster.only(fast));
  cluster.pass(30s);
  EXPECT_THAT(cluster.wanted(slow), SizeIs(1));
}

TEST(Scheduler, RunsJobsInOrderOfArrivalAndSaysHowManyAreAhead) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  for (const char* job : {"a", "b", "c"}) {
    cluster.submit(job, 2);
  }
  EXPECT_THAT(cluster.scheduler().live_jobs(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(cluster.state("a"), JobState::kRunning);
  EXPECT_EQ(cluster.state("b"), JobState::kPending);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("a")), 0U);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("b")), 1U);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 2U);
  work_off(cluster);
  EXPECT_EQ(cluster.state("b"), JobState::kPending) << "a's round is not closed yet";
  cluster.close_round();
  EXPECT_EQ(cluster.state("a"), JobState::kSucceeded);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("a")), 0U);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 1U);
  work_off(cluster);
  cluster.close_round();
  work_off(cluster);
  cluster.close_round();
  EXPECT_THAT(cluster.ended(), ElementsAre("a", "b", "c"));
}

TEST(Scheduler, FollowersOfAWaitingJobSeeThatItMovesUp) {
  Cluster cluster("load-balancing");
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  cluster.submit("c", 1);
  const std::uint64_t version = cluster.job("c").version;
  cluster.cancel("b");
  EXPECT_GT(cluster.job("c").version, version);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 1U);
}

TEST(Scheduler, FollowersSeeEachTaskThatIsDone) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 3);
  std::uint64_t version = cluster.job("job").version;
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
    EXPECT_GT(cluster.job("job").version, version);
    version = cluster.job("job").version;
  }
}

TEST(Scheduler, AWaitingJobCanBeCancelled) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  cluster.cancel("b");
  EXPECT_EQ(cluster.state("b"), JobState::kCancelled);
  EXPECT_EQ(cluster.state("a"), JobState::kRunning);
  cluster.cancel("b");
  EXPECT_THAT(cluster.ended(), ElementsAre("b"));
}

TEST(Scheduler, CancelMidRoundEndsEveryOfferAndFreesEverySlot) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy);
    const NodeId a = cluster.add_node(2);
    const NodeId b = cluster.add_node(1);
    cluster.submit("job", 9);
    const std::vector<TaskId> out = cluster.wanted();
    ASSERT_FALSE(out.empty());
    cluster.accept(out.front());
    cluster.cancel("job");
    EXPECT_EQ(cluster.state("job"), JobState::kRunning) << "no node has acknowledged it";
    EXPECT_THAT(cluster.wanted(), IsEmpty());
    for (const TaskId& task : out) {
      EXPECT_TRUE(cluster.is_cancelled(task));
    }
    EXPECT_EQ(cluster.in_flight(a) + cluster.in_flight(b), out.size())
        << "the queue is gone, and the offers hold their slots until they are answered";
    for (const TaskId& task : out) {
      cluster.lose(task, std::nullopt);
    }
    EXPECT_EQ(cluster.state("job"), JobState::kCancelled);
    EXPECT_EQ(cluster.in_flight(a), 0U);
    EXPECT_EQ(cluster.in_flight(b), 0U);
    EXPECT_TRUE(cluster.scheduler().nodes().usable(a, cluster.now()));
  }
}

TEST(Scheduler, TheNextJobWaitsUntilTheCancelledOneHasLeftTheNodes) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  const TaskId old = cluster.only();
  cluster.cancel("a");
  EXPECT_EQ(cluster.state("b"), JobState::kPending);
  EXPECT_THAT(cluster.wanted(), IsEmpty());
  EXPECT_THAT(cluster.scheduler().hindrance(cluster.job("a"), cluster.now()),
              testing::HasSubstr("waits for node:4100"));
  cluster.lose(old, std::nullopt);
  EXPECT_EQ(cluster.state("a"), JobState::kCancelled);
  EXPECT_EQ(cluster.only().job, "b");
}

TEST(Scheduler, AResultOfACancelledJobChangesNothing) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node();
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  const TaskId old = cluster.only();
  cluster.accept(old);
  cluster.cancel("a");
  cluster.finish(old);
  EXPECT_EQ(cluster.tally("a", node).tasks, 0U);
  EXPECT_EQ(cluster.job("b").round->done(), 0U);
  EXPECT_EQ(cluster.only().job, "b");
}

TEST(Scheduler, AnswersOfEveryKindToACancelledOfferOnlyFreeTheSlot) {
  for (int kind = 0; kind < 5; ++kind) {
    SCOPED_TRACE(kind);
    Cluster cluster("round-robin");
    const NodeId node = cluster.add_node();
    cluster.submit("a", 1);
    const TaskId old = cluster.only();
    cluster.cancel("a");
    const auto answer = [&] {
      switch (kind) {
        case 0:
          return cluster.refuse(old);
        case 1:
          return cluster.fail(old);
        case 2:
          return cluster.lose(old, "connection reset");
        case 3:
          return cluster.diverge(old);
        default:
          return cluster.lose(old, std::nullopt);
      }
    };
    answer();
    cluster.accept(old);
    EXPECT_EQ(cluster.in_flight(node), 0U);
    EXPECT_EQ(cluster.tally("a", node).refused + cluster.tally("a", node).failed, 0U);
  }
}

TEST(Scheduler, ANewRoundStartsFromTheClosedOne) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 1, 2);
  const TaskId first = cluster.only();
  cluster.complete(first);
  cluster.close_round();
  // The cluster checks that the offer carries the weights after round 1.
  EXPECT_EQ(cluster.only().round, 2U);
  cluster.accept(first);
  EXPECT_EQ(cluster.job("job").round->accepted(), 0U) << "accepted in another round";
}

TEST(Scheduler, IgnoresARoundClosedOfAnotherJobOrRoundOrTooEarly) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("a", 2, 3);
  cluster.submit("b", 2, 3);
  const auto expect_untouched = [&] {
    EXPECT_THAT(cluster.job("a").finished, IsEmpty());
    EXPECT_THAT(cluster.job("b").finished, IsEmpty());
    EXPECT_EQ(cluster.job("a").round->number(), 1U);
  };
  cluster.close_round("a", 1);  // Its shards are still out.
  expect_untouched();
  work_off(cluster);
  cluster.close_round("b", 1);
  cluster.close_round("a", 2);
  cluster.close_round("nobody", 1);
  expect_untouched();
  cluster.close_round();
  EXPECT_THAT(cluster.job("a").finished, SizeIs(1));
  cluster.close_round("a", 1);
  EXPECT_THAT(cluster.job("a").finished, SizeIs(1));
  EXPECT_EQ(cluster.job("a").round->number(), 2U);
}

TEST(Scheduler, AJobCancelledWhileItsRoundIsClosedStaysCancelled) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("a", 1);
  work_off(cluster);
  cluster.cancel("a");
  cluster.close_round("a", 1);
  EXPECT_EQ(cluster.state("a"), JobState::kCancelled);
  EXPECT_THAT(cluster.job("a").finished, IsEmpty());
}

TEST(Scheduler, TheCapacityClockStandsWhileARoundIsClosed) {
  Cluster cluster("load-balancing", 5s);
  cluster.add_node();
  cluster.submit("job", 1, 2);
  work_off(cluster);
  EXPECT_EQ(cluster.scheduler().wakeup(cluster.now()), std::nullopt);
  cluster.pass(1h);
  cluster.close_round();
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
}

TEST(Scheduler, ReportsWhatEachNodeDid) {
  Cluster cluster("load-balancing");
  const NodeId a = cluster.add_node();
  const NodeId b = cluster.add_node();
  cluster.submit("job", 2);
  const TaskId of_a = cluster.only(a);
  cluster.accept(of_a);
  cluster.pass(2s);
  cluster.finish(of_a);
  cluster.complete(cluster.only(b));
  cluster.close_round();
  EXPECT_EQ(cluster.tally("job", a).tasks, 1U);
  EXPECT_EQ(cluster.tally("job", b).tasks, 1U);
  const RoundReport& report = cluster.job("job").finished.at(0);
  EXPECT_EQ(report.round, 1U);
  EXPECT_DOUBLE_EQ(report.validation_error.value(), 1);
  EXPECT_DOUBLE_EQ(report.seconds, 2);
  EXPECT_THAT(report.tasks, IsEmpty()) << "they are kept in the store";
  const auto& saved = std::get<RoundFinished>(cluster.records().at(1)).report;
  ASSERT_THAT(saved.tasks, SizeIs(2));
  EXPECT_EQ(saved.tasks[of_a.shard].node, "node:4100");
  EXPECT_EQ(saved.tasks[of_a.shard].offers, 1U);
  EXPECT_DOUBLE_EQ(saved.tasks[of_a.shard].compute, 0.5);
  EXPECT_DOUBLE_EQ(saved.tasks[of_a.shard].transfer, 1.5);
}

TEST(Scheduler, KeepsOnlyTheNameOfAnEndedJobsWeights) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 1);
  work_off(cluster);
  cluster.close_round();
  EXPECT_EQ(cluster.job("job").durable.result().bytes, nullptr);
  EXPECT_EQ(cluster.job("job").durable.result().ref, make_blob("weights of job after round 1").ref);
}

TEST(Scheduler, ForgetsOldJobsButNoneThatANodeStillWorksFor) {
  Cluster cluster("load-balancing");
  cluster.add_node(2);
  cluster.submit("slow", 1);
  const TaskId held = cluster.only();
  cluster.fail(held);
  cluster.pass(100ms);
  const TaskId again = cluster.only();
  EXPECT_EQ(again.job, "slow");
  cluster.end("slow", JobState::kFailed);
  for (int i = 0; i < 300; ++i) {
    cluster.submit("job " + std::to_string(i), 1);
    cluster.end("job " + std::to_string(i), JobState::kFailed);
  }
  EXPECT_NE(cluster.scheduler().find("slow"), nullptr);
  EXPECT_NE(cluster.scheduler().find("job 0"), nullptr) << "it comes after one that stays";
  while (!cluster.offers().empty()) {
    cluster.lose(cluster.offers().front().task.id, std::nullopt);
  }
  cluster.submit("too soon", 1);
  cluster.end("too soon", JobState::kFailed);
  EXPECT_NE(cluster.scheduler().find("slow"), nullptr) << "its followers may not have heard";
  cluster.pass(std::chrono::minutes(1));
  while (!cluster.offers().empty()) {
    cluster.lose(cluster.offers().front().task.id, std::nullopt);
  }
  cluster.submit("last", 1);
  cluster.end("last", JobState::kFailed);
  EXPECT_EQ(cluster.scheduler().find("slow"), nullptr);
  EXPECT_EQ(cluster.scheduler().find("job 101"), nullptr);
  EXPECT_NE(cluster.scheduler().find("job 102"), nullptr);
  EXPECT_NE(cluster.scheduler().find("last"), nullptr);
  EXPECT_EQ(cluster.scheduler().find("never"), nullptr);
}

TEST(Scheduler, AHeartbeatOfANodeThatIsUpChangesNothing) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node();
  cluster.submit("job", 2);
  const TaskId task = cluster.only();
  cluster.accept(task);
  cluster.up(node);
  EXPECT_EQ(cluster.only(), task);
  EXPECT_EQ(cluster.offers_made(), 1U);
}

TEST(Scheduler, ALateNodeJoinsTheRoundAtOnce) {
  Cluster cluster("load-balancing");
  const NodeId first = cluster.add_node();
  const NodeId late = cluster.add_dead_node();
  cluster.submit("job", 3);
  cluster.accept(cluster.only(first));
  cluster.up(late);
  EXPECT_THAT(cluster.wanted(late), SizeIs(1));
}

TEST(Scheduler, AJobThatCannotBeIsABug) {
  Cluster cluster("load-balancing");
  EXPECT_DEATH(cluster.submit("job", 0), "bug: .*rows");
  EXPECT_DEATH(cluster.submit("job", 1, 0), "bug: .*rounds");
  cluster.submit("job", 1);
  EXPECT_DEATH(cluster.submit("job", 1), "bug: is_new");
}

TEST(Scheduler, SurvivesAnEndlessCapacityTimeout) {
  Cluster cluster("load-balancing", Duration::max());
  cluster.submit("job", 1);
  const std::optional<TimePoint> wakeup = cluster.scheduler().wakeup(cluster.now());
  ASSERT_TRUE(wakeup.has_value());
  EXPECT_GT(*wakeup, cluster.now() + std::chrono::hours(24 * 365));
}

}  // namespace
}  // namespace gradmill::coordinator
