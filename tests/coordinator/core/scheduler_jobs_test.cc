// The line of jobs: their order, their end by command, and how long they are known.
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
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SchedulerJobs, RunsJobsInOrderOfArrivalAndSaysHowManyAreAhead) {
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

TEST(SchedulerJobs, FollowersOfAWaitingJobSeeThatItMovesUp) {
  Cluster cluster("load-balancing");
  cluster.submit("a", 1);
  cluster.submit("b", 1);
  cluster.submit("c", 1);
  const std::uint64_t version = cluster.job("c").version;
  cluster.cancel("b");
  EXPECT_GT(cluster.job("c").version, version);
  EXPECT_EQ(cluster.scheduler().ahead(cluster.job("c")), 1U);
}

TEST(SchedulerJobs, FollowersSeeEachTaskThatIsDone) {
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

TEST(SchedulerJobs, AWaitingJobCanBeCancelled) {
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

TEST(SchedulerJobs, CancelMidRoundEndsEveryOfferAndFreesEverySlot) {
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

TEST(SchedulerJobs, TheNextJobWaitsUntilTheCancelledOneHasLeftTheNodes) {
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

TEST(SchedulerJobs, AResultOfACancelledJobChangesNothing) {
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

TEST(SchedulerJobs, AnswersOfEveryKindToACancelledOfferOnlyFreeTheSlot) {
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

TEST(SchedulerJobs, IgnoresARoundClosedOfAnotherJobOrRoundOrTooEarly) {
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

TEST(SchedulerJobs, AJobCancelledWhileItsRoundIsClosedStaysCancelled) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("a", 1);
  work_off(cluster);
  cluster.cancel("a");
  cluster.close_round("a", 1);
  EXPECT_EQ(cluster.state("a"), JobState::kCancelled);
  EXPECT_THAT(cluster.job("a").finished, IsEmpty());
}

TEST(SchedulerJobs, KeepsOnlyTheNameOfAnEndedJobsWeights) {
  Cluster cluster("load-balancing");
  cluster.add_node();
  cluster.submit("job", 1);
  work_off(cluster);
  cluster.close_round();
  EXPECT_EQ(cluster.job("job").durable.result().bytes, nullptr);
  EXPECT_EQ(cluster.job("job").durable.result().ref, make_blob("weights of job after round 1").ref);
}

TEST(SchedulerJobs, ForgetsOldJobsButNoneThatANodeStillWorksFor) {
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

}  // namespace
}  // namespace gradmill::coordinator
