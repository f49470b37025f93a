// What the scheduler does when nodes die, start again and come back.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/drive.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SchedulerDeaths, ANodeThatDiesMidTaskLosesItToAnother) {
  Cluster cluster("load-balancing");
  const NodeId a = cluster.add_node();
  cluster.submit("job", 1);
  const TaskId lost = cluster.only(a);
  cluster.accept(lost);
  const NodeId b = cluster.add_node();
  cluster.down(a, "connection reset");
  EXPECT_TRUE(cluster.is_cancelled(lost));
  const TaskId again = cluster.only(b);
  EXPECT_EQ(again.shard, lost.shard);
  EXPECT_NE(again.offer, lost.offer);
  EXPECT_EQ(cluster.tally("job", a).failed, 1U);
  cluster.finish(lost);  // Late: dropped, though valid.
  EXPECT_EQ(cluster.job("job").round->done(), 0U);
  EXPECT_EQ(cluster.tally("job", a).tasks, 0U);
  cluster.complete(again);
  EXPECT_EQ(cluster.tally("job", b).tasks, 1U);
}

TEST(SchedulerDeaths, EachOfferLostWithANodeCountsOnceAgainstIt) {
  Cluster cluster("round-robin");
  const NodeId node = cluster.add_node(2);
  const auto failed = [&] {
    return cluster.scheduler().nodes().status(node, cluster.now()).failed;
  };
  cluster.submit("job", 2);
  const std::vector<TaskId> lost = cluster.wanted(node);
  ASSERT_THAT(lost, SizeIs(2));
  cluster.down(node);
  EXPECT_EQ(failed(), 2U);
  cluster.lose(lost[0], "connection reset");
  cluster.lose(lost[1], std::nullopt);
  EXPECT_EQ(failed(), 2U);
  EXPECT_EQ(cluster.tally("job", node).failed, 2U);
}

TEST(SchedulerDeaths, WhatIsQueuedAtADyingNodeGoesToTheOthers) {
  for (const char* policy : {"random", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy);
    const NodeId a = cluster.add_node();
    const NodeId b = cluster.add_node();
    cluster.submit("job", 10);
    ASSERT_EQ(cluster.in_flight(a) + cluster.in_flight(b), 10U);
    const std::size_t out = cluster.wanted(a).size();
    cluster.down(a);
    EXPECT_EQ(cluster.in_flight(b), 10U);
    EXPECT_EQ(cluster.in_flight(a), out) << "until the driver says that the call is over";
    EXPECT_THAT(cluster.wanted(a), IsEmpty());
    EXPECT_EQ(cluster.tally("job", a).failed, out) << "what was only queued is no fault";
  }
}

TEST(SchedulerDeaths, ARestartedNodeLosesItsTasksAndGetsNewOnes) {
  Cluster cluster("round-robin");
  const NodeId node = cluster.add_node(2);
  cluster.submit("job", 2);
  const std::vector<TaskId> old = cluster.wanted(node);
  ASSERT_THAT(old, SizeIs(2));
  cluster.accept(old[0]);
  cluster.restart(node);
  EXPECT_TRUE(cluster.is_cancelled(old[0]));
  EXPECT_TRUE(cluster.is_cancelled(old[1]));
  cluster.finish(old[0]);
  EXPECT_EQ(cluster.job("job").round->done(), 0U);
  cluster.lose(old[1], std::nullopt);
  const std::vector<TaskId> fresh = cluster.wanted(node);
  ASSERT_THAT(fresh, SizeIs(2));
  for (const TaskId& task : fresh) {
    EXPECT_EQ(task.offer, 2U);
    cluster.complete(task);
  }
  cluster.close_round();
  EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
}

TEST(SchedulerDeaths, ANodeThatComesBackIsUsedAgain) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node();
  cluster.submit("job", 1);
  const TaskId old = cluster.only();
  cluster.accept(old);
  cluster.down(node);
  cluster.lose(old, "connection reset");
  cluster.pass(10s);
  EXPECT_EQ(cluster.state("job"), JobState::kRunning);
  EXPECT_THAT(cluster.scheduler().hindrance(cluster.job("job"), cluster.now()),
              HasSubstr("node:4100 connection refused"));
  cluster.restart(node);
  cluster.complete(cluster.only(node));
  cluster.close_round();
  EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
}

TEST(SchedulerDeaths, OneNodeThatAcceptsAndDiesOverAndOverEndsTheJobInTheEnd) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node();
  cluster.submit("job", 1);
  time_until_end(cluster, "job", [&](const TaskId& task) {
    cluster.accept(task);
    cluster.down(node);
    cluster.lose(task, "connection reset");
    cluster.pass(500ms);
    cluster.restart(node);
  });
  EXPECT_EQ(cluster.job("job").end.reason, "shard_failed");
  EXPECT_EQ(cluster.offers_made(), 16U);
}

TEST(SchedulerDeaths, FourOnTwoNodesFailTheJobByTheNameOfTheShard) {
  // However the coordinator learns of it: the broken call, the refused connection or the new
  // process comes first.
  for (int way = 0; way < 3; ++way) {
    SCOPED_TRACE(way);
    Cluster cluster("load-balancing");
    cluster.add_node();
    cluster.add_node();
    cluster.submit("job", 1);
    time_until_end(cluster, "job", [&](const TaskId& task) {
      const NodeId node = cluster.node_of(task);
      cluster.accept(task);
      if (way == 0) {
        cluster.lose(task, "connection reset");
        cluster.down(node);
        cluster.restart(node);
      } else if (way == 1) {
        cluster.down(node);
        cluster.lose(task, std::nullopt);
        cluster.restart(node);
      } else {
        cluster.restart(node);
        cluster.lose(task, "connection reset");
      }
    });
    EXPECT_EQ(cluster.offers_made(), 4U);
    EXPECT_EQ(cluster.job("job").end.reason, "poison_shard");
    EXPECT_THAT(cluster.job("job").end.message,
                HasSubstr("shard 1 of round 1 ended 4 processes that had begun it, on 2 nodes"));
  }
}

/// Two nodes that lose a task again and again, by `lose`, and no job fails of it.
template <class Lose>
void expect_no_deaths(const Lose& lose) {
  Cluster cluster("load-balancing",
                  SchedulerOptions{.capacity_timeout = 1h, .detection = {3s, 5s, 10min}});
  cluster.add_node();
  cluster.add_node();
  cluster.submit("job", 1);
  for (int i = 0; i < 40 && !has_ended(cluster.state("job")); ++i) {
    for (int second = 0; second < 10 && cluster.wanted().empty(); ++second) {
      cluster.pass(1s);
      cluster.up(0);
      cluster.up(1);
    }
    ASSERT_THAT(cluster.wanted(), SizeIs(1));
    lose(cluster, cluster.only());
    EXPECT_TRUE(cluster.job("job").round->task(0).died_on.empty());
  }
  EXPECT_EQ(cluster.state("job"), JobState::kRunning) << cluster.job("job").end.message;
}

TEST(SchedulerDeaths, LostCallsAreNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.accept(task);
    cluster.lose(task, "did not answer in time");
    cluster.up(node);
  });
}

TEST(SchedulerDeaths, SilenceIsNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.accept(task);
    cluster.pass(6s);
    ASSERT_TRUE(cluster.is_cancelled(task));
    cluster.lose(task, "did not answer in time");
    cluster.up(node);
  });
}

TEST(SchedulerDeaths, PlannedLeavesAreNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.accept(task);
    cluster.leave(node);
    cluster.down(node);
    cluster.lose(task, "connection reset");
    cluster.restart(node);
  });
}

TEST(SchedulerDeaths, NodesTakenOutAndStartedAgainByHandAreNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.accept(task);
    cluster.remove_node(node);
    cluster.restart(node);
    cluster.lose(task, "connection reset");
    cluster.readd_node(node);
    cluster.up(node);
  });
}

TEST(SchedulerDeaths, RefusalsThatMayBeOlderThanTheTaskAreNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.accept(task);
    cluster.down(node, "connection refused", 1ms);
    cluster.lose(task, std::nullopt);
    cluster.up(node);
  });
}

TEST(SchedulerDeaths, NodesThatDieBeforeTheyHaveBegunAreNone) {
  expect_no_deaths([](Cluster& cluster, const TaskId& task) {
    const NodeId node = cluster.node_of(task);
    cluster.lose(task, "connection reset");
    cluster.down(node);
    cluster.restart(node);
  });
}

TEST(SchedulerDeaths, AShardThatHasSeenOneIsAskedForAnAnswerAtOnceAndOneThatSawTwoGoesAlone) {
  Cluster cluster("load-balancing");
  const NodeId node = cluster.add_node(2);
  cluster.submit("job", 2);
  const auto die = [&] {
    ASSERT_THAT(cluster.wanted(), SizeIs(2));
    cluster.accept(cluster.wanted().front());
    cluster.restart(node);
    while (cluster.is_cancelled(cluster.offers().front().task.id)) {
      cluster.lose(cluster.offers().front().task.id, std::nullopt);
    }
  };
  EXPECT_FALSE(cluster.offers().front().task.prompt);
  die();
  ASSERT_THAT(cluster.offers(), SizeIs(2));
  EXPECT_TRUE(cluster.offers().front().task.prompt);
  EXPECT_TRUE(cluster.offers().back().task.prompt) << "also the one that had not begun";
  die();
  ASSERT_THAT(cluster.wanted(), SizeIs(1)) << "though the node has two slots";
  cluster.complete(cluster.only());
  ASSERT_THAT(cluster.wanted(), SizeIs(1));
  cluster.complete(cluster.only());
  EXPECT_TRUE(cluster.has_round_to_advance());
}

TEST(SchedulerDeaths, OnlyTheDeadlyShardIsBlamedWhereManyRunAtATime) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy);
    cluster.add_node(4);
    cluster.add_node(4);
    cluster.submit("job", 8);
    time_until_end(cluster, "job", [&](const TaskId& task) {
      if (cluster.is_cancelled(task)) {
        cluster.lose(task, "connection reset");
        return;
      }
      for (const TaskId& one : cluster.wanted()) {
        cluster.accept(one);
      }
      const std::vector<TaskId> begun = cluster.wanted();
      const auto deadly = std::find_if(
          begun.begin(), begun.end(), [](const TaskId& one) { return one.shard == 5; });
      if (deadly != begun.end()) {
        cluster.restart(cluster.node_of(*deadly));
      } else {
        cluster.finish(task);
      }
    });
    EXPECT_EQ(cluster.job("job").end.reason, "poison_shard");
    EXPECT_THAT(cluster.job("job").end.message, HasSubstr("shard 6 of round 1 ended 4 processes"));
  }
}

TEST(SchedulerDeaths, AllNodesMayDieTogetherAndComeBack) {
  Cluster cluster("load-balancing");
  for (int i = 0; i < 3; ++i) {
    cluster.add_node();
  }
  cluster.submit("job", 3);
  for (int wave = 0; wave < 3; ++wave) {
    for (const TaskId& task : cluster.wanted()) {
      cluster.accept(task);
    }
    for (NodeId node = 0; node < 3; ++node) {
      cluster.down(node);
    }
    while (!cluster.offers().empty()) {
      cluster.lose(cluster.offers().front().task.id, "connection reset");
    }
    cluster.pass(10s);
    EXPECT_EQ(cluster.state("job"), JobState::kRunning);
    for (NodeId node = 0; node < 3; ++node) {
      cluster.restart(node);
    }
  }
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
  }
  cluster.close_round();
  EXPECT_EQ(cluster.state("job"), JobState::kSucceeded);
}

}  // namespace
}  // namespace gradmill::coordinator
