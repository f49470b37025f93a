// Local mode: each job has nodes of its own.
#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/drive.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, 3> kPolicies = {"random", "load-balancing", "round-robin"};

SchedulerOptions options(SchedulingMode mode = SchedulingMode::kLocal) {
  return {.capacity_timeout = 60s,
          .detection = Cluster::no_detection(),
          .running_jobs_max = 16,
          .scheduling = mode};
}

/// Nodes with an offer of the job.
std::set<NodeId> nodes_of(const Cluster& cluster, const std::string& job) {
  std::set<NodeId> nodes;
  for (const TaskId& task : cluster.wanted()) {
    if (task.job == job) {
      nodes.insert(cluster.node_of(task));
    }
  }
  return nodes;
}

/// Completes what is out, as if all tasks took `each`, and closes rounds.
void step(Cluster& cluster, Duration each = 50ms) {
  cluster.pass(each);
  for (const TaskId& task : cluster.wanted()) {
    cluster.complete(task);
  }
  while (cluster.has_round_to_advance()) {
    cluster.close_round();
  }
}

TEST(SchedulerLocal, EachNodeWorksForOneJob) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, options());
    for (int node = 0; node < 4; ++node) {
      cluster.add_node(2);
    }
    cluster.submit("a", 40, 20);
    cluster.submit("b", 40, 20);
    std::set<NodeId> seen_a;
    std::set<NodeId> seen_b;
    for (int steps = 0; steps < 40; ++steps) {
      step(cluster);
      seen_a.merge(nodes_of(cluster, "a"));
      seen_b.merge(nodes_of(cluster, "b"));
    }
    EXPECT_EQ(seen_a, cluster.scheduler().node_shares().at(1));
    EXPECT_EQ(seen_b, cluster.scheduler().node_shares().at(2));
    EXPECT_EQ(seen_a.size(), 2U);
    EXPECT_EQ(seen_b.size(), 2U);
  }
}

TEST(SchedulerLocal, NodesGoByWeightAndByMeasuredCost) {
  Cluster cluster("load-balancing", options());
  for (int node = 0; node < 8; ++node) {
    cluster.add_node();
  }
  cluster.submit("a", 20, 100);
  cluster.set_share({.weight = 3});
  cluster.submit("b", 20, 100);
  EXPECT_EQ(cluster.scheduler().node_shares().at(1).size(), 2U);
  EXPECT_EQ(cluster.scheduler().node_shares().at(2).size(), 6U);
  std::size_t most = 0;
  for (int steps = 0; steps < 200; ++steps) {
    cluster.pass(50ms);
    for (const TaskId& task : cluster.wanted()) {
      if (task.job == "b" || steps % 9 == 8) {  // A task of `a` takes nine times as long.
        cluster.complete(task);
      }
    }
    while (cluster.has_round_to_advance()) {
      cluster.close_round();
    }
    most = std::max(most, cluster.scheduler().node_shares().at(1).size());
  }
  EXPECT_GE(most, 5U) << "nine to three";
}

TEST(SchedulerLocal, PredictionJobsAnswerRowsAtEqualRatesWhateverTheirRowsCost) {
  Cluster cluster("load-balancing", options());
  for (int node = 0; node < 8; ++node) {
    cluster.add_node();
  }
  cluster.submit_prediction("cheap", 1'000'000, 10);
  cluster.submit_prediction("costly", 1'000'000, 10);
  EXPECT_EQ(cluster.scheduler().node_shares().at(1).size(), 4U);
  std::uint64_t cheap = 0;
  std::uint64_t costly = 0;
  for (int steps = 0; steps < 400; ++steps) {
    cluster.pass(50ms);
    for (const TaskId& task : cluster.wanted()) {
      if (task.job == "cheap" || steps % 3 == 2) {  // A row of `costly` takes three times as long.
        (task.job == "cheap" ? cheap : costly) += steps >= 100 ? 1 : 0;
        cluster.complete(task);
      }
    }
  }
  EXPECT_EQ(cluster.scheduler().node_shares().at(1).size(), 2U);
  EXPECT_EQ(cluster.scheduler().node_shares().at(2).size(), 6U);
  EXPECT_NEAR(static_cast<double>(cheap) / static_cast<double>(costly), 1, 0.05);
}

TEST(SchedulerLocal, TrainingAndPredictionGoByWeightAlone) {
  Cluster cluster("load-balancing", options());
  for (int node = 0; node < 6; ++node) {
    cluster.add_node();
  }
  cluster.submit("train", 40, 100);
  cluster.set_share({.weight = 2});
  cluster.submit_prediction("predict", 1'000'000, 10);
  for (int steps = 0; steps < 100; ++steps) {
    step(cluster);
  }
  EXPECT_EQ(cluster.scheduler().node_shares().at(1).size(), 2U);
  EXPECT_EQ(cluster.scheduler().node_shares().at(2).size(), 4U);
}

TEST(SchedulerLocal, ABatchSizeMayChangeWhileNodesDieAndNoRowIsLostOrTwice) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, options());
    for (int node = 0; node < 3; ++node) {
      cluster.add_node(2);
    }
    cluster.submit("train", 6, 40);
    cluster.submit_prediction("predict", 3000, 10);
    for (int steps = 0; steps < 400 && !has_ended(cluster.state("predict")); ++steps) {
      step(cluster);
      if (steps % 10 == 3) {
        cluster.set_batch_rows("predict", 5 + static_cast<std::uint32_t>(steps));
      }
      if (steps % 10 == 6) {
        cluster.set_scheduling(steps % 20 == 6 ? SchedulingMode::kGlobal : SchedulingMode::kLocal);
      }
      if (steps == 12) {
        cluster.restart(1);
      }
      answer_cancelled(cluster);
    }
    EXPECT_EQ(cluster.state("predict"), JobState::kSucceeded);
    EXPECT_EQ(cluster.rows_saved("predict"), 3000U);
    EXPECT_NE(cluster.state("train"), JobState::kFailed);
  }
}

TEST(SchedulerLocal, ASwitchTakesBackWhatIsQueuedAndLeavesWhatIsOffered) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, options(SchedulingMode::kGlobal));
    for (int node = 0; node < 4; ++node) {
      cluster.add_node();
    }
    cluster.submit("a", 20, 3);
    cluster.submit("b", 20, 3);
    const std::vector<TaskId> out = cluster.wanted();
    cluster.set_scheduling(SchedulingMode::kLocal);
    for (const TaskId& task : out) {
      EXPECT_FALSE(cluster.is_cancelled(task));
    }
    const NodeShares shares = cluster.scheduler().node_shares();
    ASSERT_EQ(shares.size(), 2U);
    for (const TaskId& task : out) {
      cluster.complete(task);
    }
    for (int steps = 0; steps < 3; ++steps) {
      for (const NodeId node : nodes_of(cluster, "a")) {
        EXPECT_TRUE(shares.at(1).contains(node));
      }
      for (const NodeId node : nodes_of(cluster, "b")) {
        EXPECT_TRUE(shares.at(2).contains(node));
      }
      step(cluster);
    }
    cluster.set_scheduling(SchedulingMode::kGlobal);
    EXPECT_TRUE(cluster.scheduler().node_shares().empty());
    for (int steps = 0; steps < 200; ++steps) {
      step(cluster);
    }
    EXPECT_EQ(cluster.state("a"), JobState::kSucceeded);
    EXPECT_EQ(cluster.state("b"), JobState::kSucceeded);
    std::vector<SchedulingMode> saved;
    for (const Record& record : cluster.records()) {
      if (const auto* const set = std::get_if<SchedulingSet>(&record)) {
        saved.push_back(set->mode);
      }
    }
    EXPECT_EQ(saved, std::vector({SchedulingMode::kLocal, SchedulingMode::kGlobal}));
  }
}

TEST(SchedulerLocal, NobodyIsOwedAnythingAfterASwitchBack) {
  Cluster cluster("load-balancing", options());
  for (int node = 0; node < 4; ++node) {
    cluster.add_node();
  }
  cluster.submit("cheap", 100, 50);
  cluster.submit("costly", 174, 50);
  EXPECT_EQ(cluster.scheduler().node_shares().at(2).size(), 3U);
  for (int steps = 0; steps < 30; ++steps) {
    step(cluster);
  }
  cluster.set_scheduling(SchedulingMode::kGlobal);
  int of_costly = 0;
  for (int steps = 0; steps < 8; ++steps) {
    step(cluster);
    for (const TaskId& task : cluster.wanted()) {
      of_costly += task.job == "costly" ? 1 : 0;
    }
  }
  EXPECT_GE(of_costly, 10) << "half of the slots";
}

TEST(SchedulerLocal, AJobWhoseNodesDieGetsOthersAtOnce) {
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, options());
    for (int node = 0; node < 3; ++node) {
      cluster.add_node();
    }
    cluster.submit("a", 30, 3);
    cluster.submit("b", 30, 3);
    step(cluster);
    const NodeShares before = cluster.scheduler().node_shares();
    const JobNumber poor = before.at(1).size() == 1 ? 1 : 2;
    cluster.down(*before.at(poor).begin());
    EXPECT_EQ(cluster.scheduler().node_shares().at(1).size(), 1U);
    EXPECT_EQ(cluster.scheduler().node_shares().at(2).size(), 1U);
    step(cluster);
    EXPECT_FALSE(nodes_of(cluster, "a").empty());
    EXPECT_FALSE(nodes_of(cluster, "b").empty());
    cluster.up(*before.at(poor).begin());
    EXPECT_EQ(cluster.scheduler().node_shares().at(1).size() +
                  cluster.scheduler().node_shares().at(2).size(),
              3U);
  }
}

TEST(SchedulerLocal, ANodeThatIsSetAsideLeavesItsJobAnother) {
  Cluster cluster("round-robin", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 3);
  cluster.submit("b", 3);
  step(cluster);
  const NodeId of_b = *cluster.scheduler().node_shares().at(2).begin();
  cluster.fail(cluster.only(of_b));
  EXPECT_EQ(cluster.scheduler().node_shares().at(1), cluster.scheduler().node_shares().at(2));
  cluster.pass(200ms);
  EXPECT_NE(cluster.scheduler().node_shares().at(1), cluster.scheduler().node_shares().at(2));
  for (int steps = 0; steps < 20; ++steps) {
    step(cluster);
  }
  EXPECT_EQ(cluster.state("b"), JobState::kSucceeded);
}

TEST(SchedulerLocal, WhatDivergedAtAllNodesOfAJobIsTriedElsewhere) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("good", 50, 5);
  cluster.submit("bad", 1);
  for (int steps = 0; steps < 20 && !has_ended(cluster.state("bad")); ++steps) {
    complete_but(cluster, "bad");
  }
  EXPECT_EQ(cluster.job("bad").end.reason, "diverged");
  EXPECT_EQ(cluster.state("good"), JobState::kRunning);
}

TEST(SchedulerLocal, RefusalsByAllNodesOfAJobLetItAskTheOthers) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 200, 5);
  cluster.submit("refused", 1);
  const NodeId own = *cluster.scheduler().node_shares().at(2).begin();
  for (int steps = 0; steps < 200 && !has_ended(cluster.state("refused")); ++steps) {
    cluster.pass(20ms);
    for (const TaskId& task : cluster.wanted()) {
      if (task.job == "refused" && cluster.node_of(task) == own) {
        cluster.refuse(task);
      } else {
        cluster.complete(task);
      }
    }
    while (cluster.has_round_to_advance()) {
      cluster.close_round();
    }
  }
  EXPECT_EQ(cluster.state("refused"), JobState::kSucceeded);
}

TEST(SchedulerLocal, NodesOfOthersAreNoLackOfCapacity) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("long", 2, 1);
  for (const TaskId& task : cluster.wanted()) {
    cluster.accept(task);
  }
  cluster.submit("short", 1);
  cluster.pass(300s);
  EXPECT_EQ(cluster.state("short"), JobState::kRunning);
  for (const TaskId& task : cluster.wanted()) {
    cluster.finish(task);
  }
  EXPECT_EQ(cluster.only().job, "short");
}

TEST(SchedulerLocal, JobsThatShareANodeShareItFairlyWhateverOthersAreGiven) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("wide", 400, 100);
  cluster.submit("one", 100, 20);
  cluster.submit("two", 4, 500);  // Its rounds are short, so that it often arrives anew.
  for (int steps = 0; steps < 400; ++steps) {
    step(cluster);
  }
  const auto tasks = [&](const std::string& job) {
    return static_cast<double>(cluster.tally(job, 0).tasks + cluster.tally(job, 1).tasks);
  };
  EXPECT_NE(cluster.scheduler().node_shares().at(1), cluster.scheduler().node_shares().at(2));
  EXPECT_GT(tasks("one"), 100);
  EXPECT_GT(tasks("two"), 100);
}

TEST(SchedulerLocal, ATaskThatEndsProcessesEndsNoJobButItsOwn) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("busy", 500, 20);
  cluster.submit("poison", 1);
  for (int steps = 0; steps < 400 && !has_ended(cluster.state("poison")); ++steps) {
    cluster.pass(50ms);
    for (const TaskId& task : cluster.wanted()) {
      if (task.job != "poison") {
        if (!cluster.is_cancelled(task)) {
          cluster.complete(task);
        }
        continue;
      }
      cluster.accept(task);
      cluster.pass(1ms);
      cluster.restart(cluster.node_of(task));
      answer_cancelled(cluster);
      break;
    }
  }
  EXPECT_EQ(cluster.state("poison"), JobState::kFailed);
  EXPECT_EQ(cluster.state("busy"), JobState::kRunning);
}

}  // namespace
}  // namespace gradmill::coordinator
