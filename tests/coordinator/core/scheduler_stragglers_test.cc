// Stragglers, two results of one task, and rounds that end without some of their shards.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Stragglers : public testing::Test {
 protected:
  /// Four shards on four nodes, all begun.
  Stragglers() {
    for (int node = 0; node < 4; ++node) {
      cluster_.add_node();
    }
    cluster_.submit("job", 4, 1);
    begun_ = cluster_.wanted();
    for (const TaskId& task : begun_) {
      cluster_.accept(task);
    }
  }

  /// Completes the first `count` after `each`.
  void finish_first(std::size_t count, Duration each) {
    cluster_.pass(each);
    for (std::size_t n = 0; n < count; ++n) {
      cluster_.finish(begun_[n]);
    }
  }

  [[nodiscard]] std::vector<TaskId> offers_of(std::uint32_t shard) const {
    std::vector<TaskId> offers;
    for (const TaskId& task : cluster_.wanted()) {
      if (task.shard == shard) {
        offers.push_back(task);
      }
    }
    return offers;
  }

  Cluster cluster_{"load-balancing"};
  std::vector<TaskId> begun_;
};

TEST_F(Stragglers, ATaskIsCopiedOnceItTakesTwiceTheMedianAndASecond) {
  finish_first(3, 800ms);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1)) << "0.8 s are neither";
  cluster_.pass(799ms);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1));
  cluster_.pass(1ms);
  const std::vector<TaskId> both = offers_of(begun_[3].shard);
  ASSERT_THAT(both, SizeIs(2));
  EXPECT_NE(cluster_.node_of(both[0]), cluster_.node_of(both[1]));
  EXPECT_NE(both[0].offer, both[1].offer);
  EXPECT_EQ(cluster_.scheduler().nodes().at(cluster_.node_of(both[1])).copies, 1U);
}

TEST_F(Stragglers, AShortTaskIsNotCopiedBeforeASecondIsOver) {
  finish_first(3, 10ms);
  cluster_.pass(989ms);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1));
  cluster_.pass(1ms);
  EXPECT_THAT(cluster_.wanted(), SizeIs(2));
}

TEST_F(Stragglers, NothingIsCopiedBeforeThreeQuartersAreDone) {
  finish_first(2, 10ms);
  cluster_.pass(1h);
  EXPECT_THAT(cluster_.wanted(), SizeIs(2));
}

TEST_F(Stragglers, TheFirstResultCountsAndTheOtherOfferIsCancelled) {
  finish_first(3, 10ms);
  cluster_.pass(2s);
  const std::vector<TaskId> both = offers_of(begun_[3].shard);
  ASSERT_THAT(both, SizeIs(2));
  cluster_.complete(both[1]);
  EXPECT_TRUE(cluster_.is_cancelled(both[0]));
  EXPECT_TRUE(cluster_.has_round_to_advance());
  cluster_.finish(both[0]);  // It had ended before the cancel reached it.
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
  std::uint64_t counted = 0;
  for (NodeId node = 0; node < 4; ++node) {
    counted += cluster_.tally("job", node).tasks;
    EXPECT_EQ(cluster_.tally("job", node).failed, 0U);
  }
  EXPECT_EQ(counted, 4U);
}

TEST_F(Stragglers, ACopyThatComesToNothingLeavesTheFirstOffer) {
  finish_first(3, 10ms);
  cluster_.pass(1s);
  const std::vector<TaskId> both = offers_of(begun_[3].shard);
  ASSERT_THAT(both, SizeIs(2));
  cluster_.refuse(both[1]);
  EXPECT_THAT(offers_of(begun_[3].shard), ElementsAre(both[0]));
  cluster_.pass(1s);
  const std::vector<TaskId> again = offers_of(begun_[3].shard);
  ASSERT_THAT(again, SizeIs(2)) << "it is tried again";
  cluster_.lose(both[0], "connection reset");
  EXPECT_THAT(offers_of(begun_[3].shard), ElementsAre(again[1]));
  cluster_.complete(again[1]);
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
}

TEST_F(Stragglers, ACopyDiesWithItsNode) {
  finish_first(3, 10ms);
  cluster_.pass(1s);
  const std::vector<TaskId> both = offers_of(begun_[3].shard);
  ASSERT_THAT(both, SizeIs(2));
  cluster_.down(cluster_.node_of(both[1]));
  EXPECT_TRUE(cluster_.is_cancelled(both[1]));
  cluster_.complete(both[0]);
  cluster_.lose(both[1], "connection reset");
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
}

TEST_F(Stragglers, TwoResultsWithOtherBitsAreAFaultThatIsToldOfBothNodes) {
  finish_first(3, 10ms);
  cluster_.pass(1s);
  const std::vector<TaskId> both = offers_of(begun_[3].shard);
  ASSERT_THAT(both, SizeIs(2));
  const NodeId late = cluster_.node_of(both[0]);
  cluster_.complete(both[1]);
  cluster_.finish(both[0], "other bits");
  EXPECT_EQ(cluster_.tally("job", late).failed, 1U);
  const JobEvent& event = cluster_.notes().back().event;
  EXPECT_EQ(event.event, "results_differ");
  EXPECT_EQ(event.reason, "conflicting_result");
  EXPECT_THAT(event.message, testing::HasSubstr("node:"));
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
}

/// Eight shards, four for each of two nodes; one shard takes 100 ms, and the second node is late.
class QueueBehindAStraggler : public testing::Test {
 protected:
  QueueBehindAStraggler() {
    cluster_.submit("job", 8, 1);
    cluster_.accept(cluster_.only(late_));
  }

  /// Completes what the first node is given, one task every 100 ms, until it is given nothing.
  void work_off_the_others() {
    while (!cluster_.wanted(good_).empty()) {
      const TaskId task = cluster_.only(good_);
      cluster_.accept(task);
      cluster_.pass(100ms);
      cluster_.finish(task);
    }
  }

  Cluster cluster_{"round-robin"};
  NodeId good_ = cluster_.add_node();
  NodeId late_ = cluster_.add_node();
};

TEST_F(QueueBehindAStraggler, GoesToAnIdleNodeOnceItsNodeIsLate) {
  const TaskId hung = cluster_.only(late_);
  work_off_the_others();
  EXPECT_EQ(cluster_.in_flight(late_), 4U) << "0.4 s are not late";
  cluster_.pass(600ms - 1ns);
  EXPECT_THAT(cluster_.wanted(good_), IsEmpty());
  cluster_.pass(1ns);
  ASSERT_THAT(cluster_.wanted(good_), SizeIs(1)) << "one for each free slot";
  EXPECT_EQ(cluster_.in_flight(late_), 3U);
  const JobEvent& event = cluster_.notes().back().event;
  EXPECT_EQ(event.event, "task_moved");
  EXPECT_EQ(event.message, "takes it over, since node:4101 takes long");
  work_off_the_others();
  EXPECT_EQ(cluster_.in_flight(late_), 1U);
  EXPECT_TRUE(cluster_.is_cancelled(hung)) << "it was copied, once the others were done";
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
}

TEST_F(QueueBehindAStraggler, StaysWhileNoNodeIsIdle) {
  const TaskId first = cluster_.only(good_);
  cluster_.accept(first);
  cluster_.pass(100ms);
  cluster_.finish(first);
  cluster_.pass(10s);
  EXPECT_EQ(cluster_.in_flight(late_), 4U);
  EXPECT_EQ(cluster_.in_flight(good_), 3U);
}

TEST_F(QueueBehindAStraggler, StaysBehindANodeThatIsSlowButNotLate) {
  const TaskId held = cluster_.only(late_);
  for (int n = 0; n < 4; ++n) {
    const TaskId task = cluster_.only(good_);
    cluster_.accept(task);
    cluster_.pass(600ms);
    cluster_.finish(task);
    if (n == 2) {
      cluster_.finish(held);  // It took 1.8 s, and the next one may take as long.
      cluster_.accept(cluster_.only(late_));
    }
  }
  ASSERT_THAT(cluster_.wanted(good_), IsEmpty());
  EXPECT_EQ(cluster_.in_flight(late_), 3U);
  EXPECT_EQ(cluster_.scheduler().wakeup(cluster_.now()), cluster_.now() + 600ms);
  cluster_.pass(600ms);
  EXPECT_THAT(cluster_.wanted(good_), SizeIs(1)) << "now it is";
}

TEST_F(QueueBehindAStraggler, StaysBeforeTheFirstShardIsDone) {
  cluster_.add_node();
  cluster_.pass(1h);
  EXPECT_EQ(cluster_.in_flight(late_), 4U) << "nobody knows how long a task takes";
}

TEST_F(QueueBehindAStraggler, GoesToANodeThatHasRefusedWhatElseWaits) {
  const NodeId third = cluster_.add_node();
  work_off_the_others();
  cluster_.pass(600ms);
  const std::vector<TaskId> moved = cluster_.wanted(third);
  ASSERT_THAT(moved, SizeIs(1));
  cluster_.refuse(moved.front());
  for (const TaskId& task : cluster_.wanted(third)) {
    EXPECT_NE(task.shard, moved.front().shard);
  }
  EXPECT_EQ(cluster_.in_flight(late_), 2U);
}

class Quorum : public testing::Test {
 protected:
  Quorum() {
    for (int node = 0; node < 4; ++node) {
      cluster_.add_node();
    }
    JobSpecification like;
    like.rounds = 2;
    like.quorum = 3;
    like.round_deadline = 500ms;
    cluster_.submit("job", 4, like);
    for (const TaskId& task : cluster_.wanted()) {
      cluster_.accept(task);
    }
  }

  Cluster cluster_{"load-balancing"};
};

TEST_F(Quorum, ARoundThatIsInTimeIsWhole) {
  while (!cluster_.wanted().empty()) {
    cluster_.complete(cluster_.wanted().front());
  }
  cluster_.close_round();
  EXPECT_TRUE(cluster_.job("job").durable.exact);
  EXPECT_THAT(cluster_.job("job").finished.at(0).missing, IsEmpty());
}

TEST_F(Quorum, ALateRoundEndsOnceItsQuorumIsIn) {
  const std::vector<TaskId> begun = cluster_.wanted();
  cluster_.finish(begun[0]);
  cluster_.finish(begun[1]);
  cluster_.pass(600ms);
  EXPECT_FALSE(cluster_.has_round_to_advance()) << "two are no quorum";
  cluster_.finish(begun[2]);
  ASSERT_TRUE(cluster_.has_round_to_advance());
  EXPECT_TRUE(cluster_.is_cancelled(begun[3]));
  cluster_.close_round();
  const Job& job = cluster_.job("job");
  EXPECT_FALSE(job.durable.exact);
  EXPECT_THAT(job.finished.at(0).missing, ElementsAre(begun[3].shard));
  EXPECT_EQ(cluster_.wanted().size(), 3U) << "the late node still holds its slot";
  cluster_.lose(begun[3], std::nullopt);
  while (!cluster_.wanted().empty()) {
    cluster_.complete(cluster_.wanted().front());
  }
  cluster_.close_round();
  EXPECT_EQ(cluster_.state("job"), JobState::kSucceeded);
  EXPECT_FALSE(cluster_.job("job").durable.exact) << "once is enough";
}

TEST_F(Quorum, ADeadlineThatPassesLaterEndsTheRound) {
  const std::vector<TaskId> begun = cluster_.wanted();
  for (int n = 0; n < 3; ++n) {
    cluster_.finish(begun[n]);
  }
  cluster_.pass(499ms);
  EXPECT_FALSE(cluster_.has_round_to_advance());
  cluster_.pass(1ms);
  EXPECT_TRUE(cluster_.has_round_to_advance());
}

}  // namespace
}  // namespace gradmill::coordinator
