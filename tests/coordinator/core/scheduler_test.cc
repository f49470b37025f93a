// Rounds, slots and policies on a cluster whose nodes do as they should. What happens when
// they do not is in scheduler_faults_test.cc,
// and what becomes of jobs in scheduler_jobs_test.cc.
#include "coordinator/core/scheduler/scheduler.h"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/drive.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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
