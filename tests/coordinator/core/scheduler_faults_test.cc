// What the scheduler does when nodes refuse, fail or are not there at all.
#include <chrono>
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
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SchedulerFaults, WhatIsQueuedAtANodeThatIsSetAsideGoesToTheOthers) {
  for (const bool garbage : {false, true}) {
    SCOPED_TRACE(garbage);
    Cluster cluster("round-robin");
    const NodeId a = cluster.add_node();
    const NodeId b = cluster.add_node();
    cluster.submit("job", 10);
    if (garbage) {
      cluster.fail(cluster.only(a));
    } else {
      cluster.lose(cluster.only(a), "connection reset");
    }
    EXPECT_EQ(cluster.in_flight(a), 0U);
    EXPECT_EQ(cluster.in_flight(b), 10U);
  }
}

TEST(SchedulerFaults, ARefusedTaskGoesToTheNextBestNodeAtOnce) {
  Cluster cluster("load-balancing");
  std::set<NodeId> asked;
  for (int i = 0; i < 3; ++i) {
    cluster.add_node();
  }
  cluster.submit("job", 1);
  for (int i = 0; i < 2; ++i) {
    const TaskId task = cluster.only();
    asked.insert(cluster.node_of(task));
    cluster.refuse(task);
    ASSERT_THAT(cluster.wanted(), SizeIs(1)) << "without any time passing";
  }
  asked.insert(cluster.node_of(cluster.only()));
  EXPECT_THAT(asked, SizeIs(3));
  cluster.complete(cluster.only());
  EXPECT_EQ(cluster.ticks(), 0U);
}

TEST(SchedulerFaults, WhenAllRefuseItBacksOffFor50MsTo1SWithJitter) {
  std::set<Duration> first_pauses;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Cluster cluster("load-balancing", 1h, seed);
    cluster.add_node();
    cluster.add_node();
    cluster.submit("job", 1);
    Duration longest{};
    std::set<Duration> late_pauses;
    for (int attempt = 0; attempt < 12; ++attempt) {
      cluster.refuse(cluster.only());
      cluster.refuse(cluster.only());
      ASSERT_THAT(cluster.wanted(), IsEmpty());
      const Duration pause = cluster.scheduler().wakeup(cluster.now()).value() - cluster.now();
      EXPECT_GE(pause, 50ms);
      EXPECT_LE(pause, 1s);
      longest = std::max(longest, pause);
      if (attempt == 0) {
        EXPECT_LE(pause, 75ms);
        first_pauses.insert(pause);
      } else if (attempt > 6) {
        late_pauses.insert(pause);
      }
      ASSERT_TRUE(cluster.pass_to_wakeup());
      ASSERT_THAT(cluster.wanted(), SizeIs(1)) << "all are asked again";
    }
    EXPECT_GT(longest, 600ms);
    EXPECT_THAT(late_pauses, SizeIs(5)) << "also the longest pauses differ";
  }
  EXPECT_THAT(first_pauses, SizeIs(50));
}

TEST(SchedulerFaults, ATaskThatBacksOffGoesAtOnceToANodeThatHasNotRefused) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  const NodeId late = cluster.add_dead_node();
  cluster.submit("job", 1);
  cluster.refuse(cluster.only());
  ASSERT_THAT(cluster.wanted(), IsEmpty());
  cluster.up(late);
  EXPECT_THAT(cluster.wanted(late), SizeIs(1));
}

TEST(SchedulerFaults, AnAcceptanceAtTheVeryTimeOfAWakeUpDelaysNoOtherTask) {
  Cluster cluster("load-balancing");
  const NodeId a = cluster.add_node();
  const NodeId b = cluster.add_node();
  cluster.submit("job", 2);
  const TaskId other = cluster.only(b);
  cluster.refuse(cluster.only(a));  // It backs off, since the other node is busy.
  ASSERT_THAT(cluster.wanted(), SizeIs(1));
  const Duration pause = cluster.scheduler().wakeup(cluster.now()).value() - cluster.now();
  ASSERT_LE(pause, 75ms);
  // The acceptance comes a moment after the wake-up was due and before anybody ticked.
  cluster.pass(pause - 1ns);
  EXPECT_THAT(cluster.wanted(a), IsEmpty());
  cluster.jump(2ns);
  cluster.accept(other);
  EXPECT_THAT(cluster.wanted(a), SizeIs(1));
}

TEST(SchedulerFaults, WhenAllRefuseForEverTheJobFailsAndNamesThem) {
  Cluster cluster("load-balancing", 60s);
  cluster.add_node();
  cluster.add_node();
  cluster.submit("job", 4);
  const Duration taken =
      time_until_end(cluster, "job", [&](const TaskId& task) { cluster.refuse(task); });
  EXPECT_EQ(taken, 60s);
  const JobEnd& end = cluster.job("job").end;
  EXPECT_EQ(cluster.state("job"), JobState::kFailed);
  EXPECT_EQ(end.reason, "no_capacity");
  EXPECT_THAT(end.message,
              AllOf(HasSubstr("no node accepted a task for 60 s"),
                    HasSubstr("node:4100 refused "),
                    HasSubstr("node:4101 refused "),
                    HasSubstr("offers (simulated load)")));
  // 4 tasks at 2 nodes, every 0.67 s or more once the pauses have grown.
  EXPECT_LT(cluster.offers_made(), 4U * 2 * (60 * 3 / 2 + 10));
}

TEST(SchedulerFaults, WithoutNodesTheJobFailsAfterTheTimeout) {
  Cluster cluster("load-balancing", 60s);
  cluster.submit("job", 2);
  EXPECT_EQ(cluster.scheduler().wakeup(cluster.now()), cluster.now() + 60s);
  cluster.pass(60s - 1ns);
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
  cluster.pass(1ns);
  EXPECT_EQ(cluster.state("job"), JobState::kFailed);
  EXPECT_EQ(cluster.job("job").end.message, "no node accepted a task for 60 s: there are no nodes");
  EXPECT_EQ(cluster.ticks(), 1U);
}

TEST(SchedulerFaults, WithDeadNodesTheJobFailsAndSaysWhyEachIsDead) {
  Cluster cluster("random", 1500ms);
  cluster.add_dead_node();
  const NodeId gone = cluster.add_node();
  cluster.submit("job", 1);
  const TaskId task = cluster.only();
  cluster.down(gone, "does not answer within 5 s");
  cluster.lose(task, "connection reset");
  cluster.pass(2s);
  EXPECT_EQ(cluster.job("job").end.reason, "no_capacity");
  EXPECT_EQ(cluster.job("job").end.message,
            "no node accepted a task for 1500 ms: node:4100 has not answered yet; node:4101 does "
            "not answer within 5 s");
}

TEST(SchedulerFaults, AnEventThatComesInsteadOfTheTickAlsoEndsTheJob) {
  Cluster cluster("load-balancing", 5s);
  const NodeId node = cluster.add_dead_node();
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  cluster.jump(6s);
  cluster.down(node);
  EXPECT_EQ(cluster.state("a"), JobState::kFailed);
  EXPECT_EQ(cluster.state("b"), JobState::kRunning);
  EXPECT_EQ(cluster.scheduler().wakeup(cluster.now()), cluster.now() + 5s);
}

TEST(SchedulerFaults, TheCapacityClockStandsWhileATaskIsAccepted) {
  Cluster cluster("load-balancing", 5s);
  const NodeId node = cluster.add_node();
  cluster.submit("job", 2);
  cluster.pass(4s);
  cluster.accept(cluster.only());
  EXPECT_EQ(cluster.scheduler().wakeup(cluster.now()), std::nullopt);
  cluster.pass(1h);
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
  cluster.down(node);
  cluster.pass(5s - 1ns);
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
  cluster.pass(1ns);
  EXPECT_EQ(cluster.state("job"), JobState::kFailed);
}

TEST(SchedulerFaults, AGarbageNodeIsSetAsideAndTheJobStillSucceeds) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy);
    const NodeId bad = cluster.add_node();
    const NodeId good = cluster.add_node();
    cluster.submit("job", 6);
    time_until_end(cluster, "job", [&](const TaskId& task) {
      if (cluster.node_of(task) == bad) {
        cluster.fail(task);
        EXPECT_FALSE(cluster.scheduler().nodes().usable(bad, cluster.now()));
      } else {
        cluster.accept(task);
        cluster.pass(100ms);
        cluster.finish(task);
      }
      if (cluster.has_round_to_advance()) {
        cluster.close_round();
      }
    });
    EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
    EXPECT_EQ(cluster.tally("job", good).tasks, 6U);
    EXPECT_EQ(cluster.tally("job", bad).tasks, 0U);
    EXPECT_GT(cluster.tally("job", bad).failed, 0U);
  }
}

TEST(SchedulerFaults, ANodeThatIsSetAsideComesBackAndAGoodResultForgivesItsFaults) {
  Cluster cluster("round-robin");
  const NodeId node = cluster.add_node();
  cluster.submit("job", 4);
  for (const Duration aside : {100ms, 200ms, 400ms}) {
    cluster.fail(cluster.only(node));
    cluster.pass(aside - 1ns);
    EXPECT_THAT(cluster.wanted(), IsEmpty());
    cluster.pass(1ns);
  }
  EXPECT_EQ(cluster.scheduler().nodes().status(node, cluster.now()).failed, 3U);
  cluster.complete(cluster.only(node));
  cluster.fail(cluster.only(node));
  EXPECT_THAT(cluster.wanted(), IsEmpty());
  cluster.pass(100ms);
  work_off(cluster);
  cluster.close_round();
  EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
  EXPECT_EQ(cluster.tally("job", node).tasks, 4U);
  EXPECT_EQ(cluster.tally("job", node).failed, 4U);
}

TEST(SchedulerFaults, AShardThatFailedGoesToANodeThatHasNotTriedIt) {
  Cluster cluster("load-balancing");
  const NodeId a = cluster.add_node();
  cluster.submit("job", 1);
  cluster.fail(cluster.only(a));
  cluster.pass(1s);
  const TaskId again = cluster.only(a);
  const NodeId b = cluster.add_node();
  cluster.fail(again);
  EXPECT_THAT(cluster.wanted(b), SizeIs(1));
}

TEST(SchedulerFaults, WithOnlyGarbageNodesTheJobFailsAfterFourAttempts) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.add_node();
  cluster.submit("job", 1);
  time_until_end(cluster, "job", [&](const TaskId& task) {
    cluster.accept(task);
    cluster.fail(task, "sent a delta that is not finite");
  });
  EXPECT_EQ(cluster.offers_made(), 4U);
  EXPECT_EQ(cluster.job("job").end.reason, "shard_failed");
  EXPECT_THAT(cluster.job("job").end.message,
              AllOf(HasSubstr("shard 1 of round 1 failed 4 times, last on node:410"),
                    HasSubstr("sent a delta that is not finite")));
}

TEST(SchedulerFaults, AGarbageNodeBesideOneThatRefusesForEverEndsTheJob) {
  Cluster cluster("load-balancing", 60s);
  const NodeId garbage = cluster.add_node();
  cluster.add_node();
  cluster.submit("job", 1);
  const Duration taken = time_until_end(cluster, "job", [&](const TaskId& task) {
    if (cluster.node_of(task) == garbage) {
      cluster.accept(task);
      cluster.fail(task);
    } else {
      cluster.refuse(task);
    }
  });
  EXPECT_EQ(cluster.job("job").end.reason, "shard_failed");
  EXPECT_LT(taken, 2min);
  EXPECT_LT(cluster.offers_made(), 500U);
}

TEST(SchedulerFaults, GarbageThatWasNeverAcceptedDoesNotKeepTheCapacityClockBack) {
  Cluster cluster("load-balancing", 2s);
  const NodeId garbage = cluster.add_node();
  cluster.add_node();
  cluster.submit("job", 1);
  const Duration taken = time_until_end(cluster, "job", [&](const TaskId& task) {
    if (cluster.node_of(task) == garbage) {
      cluster.fail(task, "sent garbage");
    } else {
      cluster.refuse(task);
    }
  });
  EXPECT_EQ(taken, 2s);
  EXPECT_THAT(cluster.job("job").end.message,
              AllOf(HasSubstr("node:4100 sent garbage"), HasSubstr("node:4101 refused ")));
}

TEST(SchedulerFaults, AHealthyNodeThatIsSetAsideForAMomentIsStillAHope) {
  Cluster cluster("round-robin");
  const NodeId a = cluster.add_node();
  const NodeId b = cluster.add_node();
  cluster.submit("job", 2);
  const TaskId of_b = cluster.only(b);
  cluster.lose(of_b, "connection reset");
  // Four failures on the one node while the other is aside: its turn comes.
  cluster.fail(cluster.only(a));
  cluster.pass(10s);
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
  EXPECT_FALSE(cluster.wanted(b).empty());
}

TEST(SchedulerFaults, ANodeThatNeverAcceptsAndDropsTheConnectionEndsTheJobByTimeout) {
  Cluster cluster("random", 60s);
  cluster.add_node(4);
  cluster.submit("job", 8);
  const Duration taken = time_until_end(
      cluster, "job", [&](const TaskId& task) { cluster.lose(task, "connection reset"); });
  EXPECT_EQ(taken, 60s);
  EXPECT_EQ(cluster.job("job").end.reason, "no_capacity");
  EXPECT_THAT(cluster.job("job").end.message, HasSubstr("node:4100 connection reset"));
  EXPECT_LT(cluster.offers_made(), 100U);
}

TEST(SchedulerFaults, ABusyNodeIsNotAskedForOneShardAfterTheOther) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, 60s);
    const NodeId node = cluster.add_node();
    cluster.submit("job", 1000);
    const Duration taken = time_until_end(
        cluster, "job", [&](const TaskId& task) { cluster.lose(task, std::nullopt); });
    EXPECT_EQ(taken, 60s);
    EXPECT_EQ(cluster.tally("job", node).failed, 0U);
    EXPECT_THAT(cluster.job("job").end.message, HasSubstr("node:4100 had no room"));
    EXPECT_LT(cluster.offers_made(), 110U) << "a pause of 50 ms to 1 s between offers";
  }
}

TEST(SchedulerFaults, ANodeThatAcceptsAndHandsBackForEverEndsTheJob) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 1);
  time_until_end(cluster, "job", [&](const TaskId& task) {
    cluster.accept(task);
    cluster.lose(task, std::nullopt);
  });
  EXPECT_EQ(cluster.job("job").end.reason, "shard_failed");
}

TEST(SchedulerFaults, ANodeThatAcceptsAndThenRefusesForEverEndsTheJob) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 1);
  time_until_end(cluster, "job", [&](const TaskId& task) {
    cluster.accept(task);
    cluster.refuse(task);
  });
  EXPECT_EQ(cluster.job("job").end.reason, "shard_failed");
}

TEST(SchedulerFaults, SaysWhatHoldsTheJobUp) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node();
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  const auto hindrance = [&](const char* job) {
    return cluster.scheduler().hindrance(cluster.job(job), cluster.now());
  };
  EXPECT_EQ(hindrance("a"), "") << "an offer is out";
  EXPECT_EQ(hindrance("b"), "") << "it only waits its turn";
  cluster.refuse(cluster.only());
  EXPECT_THAT(hindrance("a"), HasSubstr("node:4100 refused 1 offer (simulated load)"));
  cluster.down(node, "connection refused");
  EXPECT_THAT(hindrance("a"), HasSubstr("node:4100 connection refused"));
  cluster.cancel("a");
  EXPECT_EQ(hindrance("a"), "");
}

}  // namespace
}  // namespace gradmill::coordinator
