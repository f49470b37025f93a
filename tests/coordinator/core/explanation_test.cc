#include "coordinator/core/scheduler/explanation.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/drive.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

SchedulerOptions options(SchedulingMode mode = SchedulingMode::kGlobal) {
  return {.capacity_timeout = 60s,
          .detection = {.suspect_after = 3s, .failed_after = 500s, .forget_after = Duration::max()},
          .running_jobs_max = 16,
          .scheduling = mode};
}

NodeExplanation of(const Cluster& cluster, const std::string& job, NodeId node) {
  return explain(cluster.scheduler(), cluster.job(job), cluster.now()).nodes.at(node);
}

std::string why(const Cluster& cluster, const std::string& job, NodeId node) {
  return of(cluster, job, node).reason;
}

TEST(Explanation, ANodeThatWorksHasNoReason) {
  Cluster cluster("random", options());
  cluster.add_node();
  cluster.submit("a", 3);
  cluster.complete(cluster.only());
  const JobExplanation all = explain(cluster.scheduler(), cluster.job("a"), cluster.now());
  EXPECT_EQ(all.job, "a");
  EXPECT_EQ(all.state, JobState::kRunning);
  EXPECT_EQ(all.scheduling, SchedulingMode::kGlobal);
  EXPECT_EQ(all.waiting, 0U);
  ASSERT_EQ(all.nodes.size(), 1U);
  EXPECT_EQ(all.nodes[0].node, cluster.scheduler().nodes().at(0).address.text());
  EXPECT_EQ(all.nodes[0].offers, 1U);
  EXPECT_EQ(all.nodes[0].queued, 1U);
  EXPECT_EQ(all.nodes[0].tasks, 1U);
  EXPECT_EQ(all.nodes[0].reason, "");
  EXPECT_EQ(all.nodes[0].message, "has 1 task at work, 1 queued and 1 done");
  EXPECT_FALSE(all.predicts);
}

TEST(Explanation, CallsTheTasksOfAPredictionJobBatchesAndTellsTheShareOfTime) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.submit("a", 50, 20);
  cluster.submit_prediction("p", 1000, 10);
  for (int steps = 0; steps < 40; ++steps) {
    cluster.pass(50ms);
    cluster.complete(cluster.only());
    while (cluster.has_round_to_advance()) {
      cluster.close_round();
    }
  }
  const JobExplanation all = explain(cluster.scheduler(), cluster.job("p"), cluster.now());
  EXPECT_TRUE(all.predicts);
  EXPECT_EQ(all.nodes[0].tasks, 20U);
  EXPECT_NEAR(all.nodes[0].recent_share.value(), 0.5, 0.05);
  const std::string message = of(cluster, "p", 0).message + of(cluster, "a", 0).message;
  EXPECT_NE(message.find("at work, 0 queued and 20 done; "), std::string::npos) << message;
  EXPECT_NE(message.find(" % of its recent time"), std::string::npos) << message;
  EXPECT_NE(message.find("its slot holds job "), std::string::npos) << message;
}

TEST(Explanation, FollowsTheSizeOfBatches) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.submit_prediction("p", 100, 10);
  EXPECT_EQ(explain(cluster.scheduler(), cluster.job("p"), cluster.now()).waiting, 9U);
  cluster.set_batch_rows("p", 45);
  EXPECT_EQ(explain(cluster.scheduler(), cluster.job("p"), cluster.now()).waiting, 2U)
      << "of 45 rows";
  cluster.add_node();
  EXPECT_EQ(of(cluster, "p", 1).message, "has 1 batch at work, 0 queued and 0 done");
  cluster.add_node();
  cluster.add_node();
  EXPECT_EQ(of(cluster, "p", 3).message, "no batch waits: all so far are at other nodes or done");
}

TEST(Explanation, TellsOfNodesThatAreNotAlive) {
  Cluster cluster("load-balancing", options());
  const NodeId works = cluster.add_node();
  const NodeId dead = cluster.add_dead_node();
  const NodeId gone = cluster.add_node();
  const NodeId leaving = cluster.add_node();
  cluster.down(gone);
  cluster.leave(leaving);
  cluster.submit("a", 5);
  EXPECT_EQ(why(cluster, "a", works), "");
  EXPECT_EQ(why(cluster, "a", dead), "failed");
  EXPECT_EQ(why(cluster, "a", gone), "failed");
  EXPECT_EQ(of(cluster, "a", gone).message, "connection refused");
  EXPECT_EQ(why(cluster, "a", leaving), "left");
}

TEST(Explanation, TellsOfSilence) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.pass(4s);
  cluster.submit("a", 2);
  EXPECT_EQ(why(cluster, "a", 0), "suspect");
}

TEST(Explanation, TellsOfPausesAfterFaultsAndOfNodesWithoutRoom) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 4);
  cluster.fail(cluster.only(0), "sent garbage");
  EXPECT_EQ(why(cluster, "a", 0), "set_aside");
  EXPECT_NE(of(cluster, "a", 0).message.find("sent garbage"), std::string::npos);
  cluster.lose(cluster.only(1), std::nullopt);
  EXPECT_EQ(why(cluster, "a", 1), "no_room");
}

TEST(Explanation, TellsOfRefusals) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.submit("a", 1);
  cluster.refuse(cluster.only());
  EXPECT_EQ(why(cluster, "a", 0), "refused");
  EXPECT_NE(of(cluster, "a", 0).message.find("asked again in"), std::string::npos);
}

TEST(Explanation, TellsOfLossesThatDiverged) {
  Cluster cluster("load-balancing", options());
  const NodeId node = cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 1);
  cluster.submit("b", 2);
  const TaskId bad = cluster.wanted()[0].job == "a" ? cluster.wanted()[0] : cluster.wanted()[1];
  const NodeId first = cluster.node_of(bad);
  cluster.accept(cluster.only(1 - first));
  cluster.diverge(bad);
  EXPECT_EQ(node, 0U);
  EXPECT_EQ(why(cluster, "a", first), "diverged");
}

TEST(Explanation, TellsWhoHoldsTheSlots) {
  for (const char* policy : {"random", "load-balancing", "round-robin"}) {
    SCOPED_TRACE(policy);
    Cluster cluster(policy, options());
    cluster.add_node();
    cluster.submit("a", 4);
    cluster.submit("b", 4);
    const NodeExplanation node = of(cluster, "b", 0);
    EXPECT_EQ(node.reason, "slots_taken");
    EXPECT_EQ(node.message,
              "its slot holds job a, whose turn came first; the next free one is for this job");
  }
}

TEST(Explanation, TellsWhoseNodeItIs) {
  Cluster cluster("load-balancing", options(SchedulingMode::kLocal));
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 4);
  cluster.submit("b", 4);
  const NodeId of_b = *cluster.scheduler().node_shares().at(2).begin();
  cluster.complete(cluster.only(of_b));
  EXPECT_EQ(why(cluster, "b", of_b), "");
  EXPECT_EQ(why(cluster, "a", of_b), "other_jobs_node");
  EXPECT_EQ(of(cluster, "a", of_b).message, "it belongs to job b (local scheduling)");
  work_off(cluster);
  EXPECT_EQ(why(cluster, "a", of_b), "other_jobs_node") << "also when nothing waits";
}

TEST(Explanation, TellsOfJobsWithNothingToGive) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 1);
  EXPECT_EQ(why(cluster, "a", 1 - cluster.node_of(cluster.only())), "nothing_waits");
  cluster.complete(cluster.only());
  EXPECT_EQ(of(cluster, "a", 0).message, "all results of the round are in");
  cluster.close_round();
  EXPECT_EQ(cluster.job("a").state, JobState::kSucceeded);
  cluster.submit("b", 1, 3);
  cluster.control("b", JobCommand::kPause);
  answer_cancelled(cluster);
  EXPECT_EQ(why(cluster, "b", 0), "not_running");
  EXPECT_EQ(of(cluster, "b", 0).message, "the job is paused");
}

TEST(Explanation, TellsWhatEachNodeDidForAJobThatHasEnded) {
  Cluster cluster("load-balancing", options());
  cluster.add_node();
  cluster.add_node();
  cluster.submit("a", 1);
  const NodeId worker = cluster.node_of(cluster.only());
  cluster.complete(cluster.only());
  cluster.close_round();
  EXPECT_EQ(why(cluster, "a", worker), "");
  EXPECT_EQ(of(cluster, "a", worker).message, "did 1 task");
  EXPECT_EQ(of(cluster, "a", worker).tasks, 1U);
  EXPECT_EQ(why(cluster, "a", 1 - worker), "ended");
  EXPECT_EQ(of(cluster, "a", 1 - worker).message,
            "nothing that it did counted before the job ended");
  EXPECT_EQ(of(cluster, "a", worker).recent_share, std::nullopt);
}

TEST(Explanation, TellsOfNodesThatThePolicySpares) {
  Cluster cluster("load-balancing", options());
  const NodeId fast = cluster.add_node();
  const NodeId slow = cluster.add_node();
  cluster.submit("a", 2, 3);
  for (int round = 0; round < 3; ++round) {
    cluster.pass(10ms);
    for (const TaskId& task : cluster.wanted(fast)) {
      cluster.complete(task);
    }
    if (!cluster.wanted(slow).empty()) {
      cluster.pass(900ms);
      for (const TaskId& task : cluster.wanted()) {
        cluster.complete(task);
      }
    }
    while (cluster.has_round_to_advance()) {
      cluster.close_round();
    }
  }
  cluster.submit("b", 3);
  const JobExplanation all = explain(cluster.scheduler(), cluster.job("b"), cluster.now());
  ASSERT_GT(all.waiting, 0U);
  EXPECT_EQ(all.nodes[slow].reason, "policy");
}

TEST(Explanation, TellsOfASuspectTaskThatMustRunAlone) {
  Cluster cluster("load-balancing", options());
  cluster.add_node(2);
  cluster.submit("poison", 1);
  for (int deaths = 0; deaths < 2; ++deaths) {
    cluster.accept(cluster.only());
    cluster.pass(1ms);
    const TaskId task = cluster.only();
    cluster.restart(0);
    cluster.lose(task, std::nullopt);
    cluster.pass(2s);
  }
  cluster.submit("other", 2);
  EXPECT_EQ(why(cluster, "other", 0), "kept_for_suspect");
}

}  // namespace
}  // namespace gradmill::coordinator
