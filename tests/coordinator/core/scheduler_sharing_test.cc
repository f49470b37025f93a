// Several jobs at once: how they share the nodes, and that none spoils another one.
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/drive.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, 3> kPolicies = {"random", "load-balancing", "round-robin"};

SchedulerOptions side_by_side(std::size_t jobs = 16) {
  return {.capacity_timeout = 60s, .detection = Cluster::no_detection(), .running_jobs_max = jobs};
}

/// Completes the offer that is out for longest, as if every task took `each`; closes rounds.
void step(Cluster& cluster, Duration each) {
  cluster.pass(each);
  const std::vector<TaskId> out = cluster.wanted();
  for (const TaskId& task : out) {
    if (cluster.wanted(cluster.node_of(task)).front() == task) {
      cluster.complete(task);
    }
  }
  while (cluster.has_round_to_advance()) {
    cluster.close_round();
  }
}

std::map<std::string, int> offers_of(const Cluster& cluster) {
  std::map<std::string, int> offers;
  for (const TaskId& task : cluster.wanted()) {
    ++offers[task.job];
  }
  return offers;
}

TEST(SchedulerSharing, JobsRunSideBySideAndTheNextOneWaits) {
  Cluster cluster("load-balancing", side_by_side(2));
  cluster.add_node(4);
  for (const char* job : {"a", "b", "c"}) {
    cluster.submit(job, 4);
  }
  EXPECT_EQ(cluster.state("b"), JobState::kRunning);
  EXPECT_EQ(cluster.state("c"), JobState::kPending);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("b")), 0U);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 2U);
  cluster.set_share({.priority = 1});
  cluster.submit("urgent", 1);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("urgent")), 2U);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 3U);
  cluster.cancel("a");
  answer_cancelled(cluster);
  EXPECT_EQ(cluster.state("urgent"), JobState::kRunning);
  EXPECT_EQ(cluster.state("c"), JobState::kPending);
}

TEST(SchedulerSharing, SlotTimeGoesByWeight) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, side_by_side());
    for (int node = 0; node < 3; ++node) {
      cluster.add_node();
    }
    cluster.submit("a", 240, 20);
    cluster.set_share({.weight = 3});
    cluster.submit("b", 240, 20);
    for (int steps = 0; steps < 800; ++steps) {
      step(cluster, 50ms);
    }
    const auto tasks = [&](const std::string& job) {
      std::uint64_t sum = 0;
      for (NodeId node = 0; node < cluster.nodes(); ++node) {
        sum += cluster.tally(job, node).tasks;
      }
      return static_cast<double>(sum);
    };
    // Under policies that queue ahead, the last tasks of a round may all be queued at one node.
    EXPECT_NEAR(tasks("b") / tasks("a"), 3, 1) << tasks("a") << " " << tasks("b");
  }
}

TEST(SchedulerSharing, ToWaitForOnesTurnIsNoHindrance) {
  Cluster cluster("load-balancing", side_by_side());
  cluster.add_node();
  cluster.submit("a", 4);
  cluster.submit("b", 4);
  cluster.accept(cluster.only(0));
  EXPECT_EQ(cluster.only(0).job, "a");
  EXPECT_EQ(cluster.scheduler().hindrance(cluster.job("b"), cluster.now()), "");
  cluster.down(0);
  EXPECT_THAT(cluster.scheduler().hindrance(cluster.job("b"), cluster.now()),
              testing::StartsWith("no node can take a task: "));
}

TEST(SchedulerSharing, ANewJobGetsTheNextSlotThatFallsFree) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, side_by_side());
    for (int node = 0; node < 2; ++node) {
      cluster.add_node();
    }
    cluster.submit("long", 100, 10);
    for (int steps = 0; steps < 5; ++steps) {
      step(cluster, 100ms);
    }
    cluster.submit("new", 20);
    EXPECT_EQ(offers_of(cluster)["new"], 0);
    cluster.complete(cluster.wanted().front());
    EXPECT_EQ(offers_of(cluster)["new"], 1);
  }
}

TEST(SchedulerSharing, AHigherPriorityTakesEverySlot) {
  Cluster cluster("round-robin", side_by_side());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("low", 20, 2);
  cluster.set_share({.priority = 5});
  cluster.submit("high", 20);
  step(cluster, 50ms);
  for (int steps = 0; steps < 9; ++steps) {
    EXPECT_EQ(offers_of(cluster)["high"], 2) << steps;
    step(cluster, 50ms);
  }
}

TEST(SchedulerSharing, SlotsHeldByOthersAreNoLackOfCapacity) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, side_by_side());
    cluster.add_node();
    cluster.submit("long", 1, 1);
    cluster.accept(cluster.only());
    cluster.submit("short", 1);
    cluster.pass(300s);
    EXPECT_EQ(cluster.state("short"), JobState::kRunning);
    cluster.finish(cluster.only());
    EXPECT_EQ(cluster.only().job, "short");
    cluster.refuse(cluster.only());
    EXPECT_LE(time_until_end(cluster, "short", [&](const TaskId& task) { cluster.refuse(task); }),
              90s)
        << "refusals are";
    EXPECT_EQ(cluster.job("short").end.reason, "no_capacity");
  }
}

TEST(SchedulerSharing, ANodeThatFailsReleasesTheTasksOfEveryJob) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, side_by_side());
    const NodeId a = cluster.add_node(4);
    cluster.submit("a", 2);
    cluster.submit("b", 2);
    const std::vector<TaskId> out = cluster.wanted(a);
    ASSERT_EQ(out.size(), 4U);
    const NodeId b = cluster.add_node(4);
    cluster.down(a);
    for (const TaskId& task : out) {
      EXPECT_TRUE(cluster.is_cancelled(task));
    }
    EXPECT_EQ(cluster.wanted(b).size(), 4U);
    work_off(cluster);
    cluster.close_round();
    cluster.close_round();
    EXPECT_EQ(cluster.state("a"), JobState::kSucceeded);
    EXPECT_EQ(cluster.state("b"), JobState::kSucceeded);
  }
}

TEST(SchedulerSharing, ASuspectTaskRunsAloneThoughOthersKeepTheNodesBusy) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, side_by_side());
    cluster.add_node(2);
    cluster.add_node(2);
    cluster.submit("busy", 200, 20);
    cluster.submit("poison", 1);
    unsigned deaths = 0;
    for (int steps = 0; steps < 400 && !has_ended(cluster.state("poison")); ++steps) {
      cluster.pass(50ms);
      const std::vector<TaskId> out = cluster.wanted();
      for (const TaskId& task : out) {
        if (task.job == "busy" && !cluster.is_cancelled(task)) {
          cluster.complete(task);
        }
      }
      for (const TaskId& task : out) {
        if (task.job == "poison") {
          const NodeId node = cluster.node_of(task);
          EXPECT_TRUE(deaths < 2 || cluster.wanted(node).size() == 1) << "it does not run alone";
          cluster.accept(task);
          cluster.pass(1ms);
          cluster.restart(node);
          answer_cancelled(cluster);
          ++deaths;
        }
      }
    }
    EXPECT_EQ(cluster.job("poison").end.reason, "poison_shard");
    EXPECT_EQ(cluster.state("busy"), JobState::kRunning);
  }
}

TEST(SchedulerSharing, ADivergedJobEndsAloneAndAPausedOneGoesOn) {
  Cluster cluster("load-balancing", side_by_side());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("good", 2, 2);
  cluster.submit("bad", 1);
  cluster.submit("idle", 1);
  cluster.control("idle", JobCommand::kPause);
  for (int steps = 0; steps < 10 && !has_ended(cluster.state("bad")); ++steps) {
    complete_but(cluster, "bad");
  }
  EXPECT_EQ(cluster.job("bad").end.reason, "diverged");
  EXPECT_EQ(cluster.state("idle"), JobState::kPaused);
  cluster.control("idle", JobCommand::kResume);
  for (int steps = 0; steps < 10; ++steps) {
    step(cluster, 10ms);
  }
  EXPECT_EQ(cluster.state("good"), JobState::kSucceeded);
  EXPECT_EQ(cluster.state("idle"), JobState::kSucceeded);
}

}  // namespace
}  // namespace gradmill::coordinator
