#include "coordinator/core/round/round.h"

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

constexpr NodeId kA = 0;
constexpr NodeId kB = 1;

TaskResult result(const std::string& delta) {
  TaskResult result;
  result.delta = make_blob(delta);
  result.loss = 2;
  result.epochs = 7;
  result.compute_seconds = 0.5;
  result.delay_seconds = 0.25;
  return result;
}

class RoundTest : public testing::Test {
 protected:
  RoundTest() {
    for (const std::uint16_t port : std::vector<std::uint16_t>{4100, 4101}) {
      const NodeId node = nodes_.add({"node", port});
      nodes_.up(
          node, {.hello = {.incarnation = "a", .kernel_id = ml::kernel_id(), .slots = 1}}, now_);
    }
  }
  void TearDown() override { round_.check_invariants(); }

  std::uint64_t offer(std::uint32_t shard, NodeId node) {
    round_.queue(shard, node);
    return round_.offer(shard, now_);
  }
  std::uint64_t begin(std::uint32_t shard, NodeId node) {
    const std::uint64_t number = offer(shard, node);
    EXPECT_TRUE(round_.accept(shard, number, now_));
    return number;
  }

  /// The node begins the shard, and its process ends.
  void die(std::uint32_t shard, NodeId node) {
    begin(shard, node);
    round_.lose(shard, current(shard), now_);
    EXPECT_THAT(round_.died(node), testing::ElementsAre(shard));
  }

  /// The only offer of the shard that is out.
  [[nodiscard]] std::uint64_t current(std::uint32_t shard) const {
    const std::vector<Round::Lease>& leases = round_.task(shard).leases;
    return leases.empty() ? 0 : leases.front().offer;
  }
  Verdict complete(std::uint32_t shard, std::uint64_t offer, TaskResult result, TimePoint now) {
    return round_.complete(shard, offer, std::move(result), now, superseded_);
  }

  std::vector<Round::Lease> superseded_;
  NodeRegistry nodes_;
  TimePoint now_ = TimePoint{} + 1h;
  Round round_{3, 3, now_};
};

TEST_F(RoundTest, StartsWithAllShardsPending) {
  EXPECT_EQ(round_.number(), 3U);
  EXPECT_EQ(round_.size(), 3U);
  EXPECT_EQ(round_.pending(), (std::set<std::uint32_t>{0, 1, 2}));
  EXPECT_TRUE(round_.choosy().empty());
  EXPECT_FALSE(round_.complete());
}

TEST_F(RoundTest, IsCompleteOnceEachShardHasCounted) {
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    EXPECT_FALSE(round_.complete());
    const std::uint64_t number = begin(shard, kA);
    EXPECT_EQ(complete(shard, number, result(std::to_string(shard)), now_), Verdict::kCounted);
    EXPECT_EQ(round_.done(), shard + 1);
  }
  EXPECT_TRUE(round_.complete());
  EXPECT_EQ(round_.shards_done(), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(*round_.task(2).result.delta.bytes, "2");
}

TEST_F(RoundTest, CountsAResultThatComesWithoutAnAcceptance) {
  EXPECT_EQ(complete(0, offer(0, kA), result("x"), now_ + 1s), Verdict::kCounted);
  EXPECT_EQ(round_.accepted(), 0U);
  EXPECT_EQ(round_.idle_since(), now_ + 1s);
}

TEST_F(RoundTest, CountsTheFirstResultOnly) {
  const std::uint64_t number = begin(0, kA);
  EXPECT_EQ(complete(0, number, result("first"), now_), Verdict::kCounted);
  EXPECT_EQ(complete(0, number, result("first"), now_), Verdict::kDuplicate);
  EXPECT_EQ(complete(0, number + 1, result("other"), now_), Verdict::kConflict);
  EXPECT_EQ(*round_.task(0).result.delta.bytes, "first");
  EXPECT_EQ(round_.done(), 1U);
}

TEST_F(RoundTest, DropsResultsOfOffersThatAreNoLongerCurrent) {
  const std::uint64_t late = begin(0, kA);
  round_.lose(0, current(0), now_);
  EXPECT_EQ(complete(0, late, result("late"), now_), Verdict::kStale);
  const std::uint64_t current = begin(0, kB);
  EXPECT_EQ(complete(0, late, result("late"), now_), Verdict::kStale);
  EXPECT_EQ(complete(0, current, result("good"), now_), Verdict::kCounted);
  EXPECT_EQ(*round_.task(0).result.delta.bytes, "good");
  EXPECT_EQ(round_.task(0).node, kB);
}

TEST_F(RoundTest, KnowsNoOffersOfShardsThatItDoesNotHave) {
  EXPECT_EQ(round_.lease(3, 0), nullptr);
  EXPECT_FALSE(round_.accept(3, 1, now_));
  EXPECT_EQ(complete(3, 1, result("x"), now_), Verdict::kStale);
  EXPECT_EQ(complete(0, 0, result("x"), now_), Verdict::kStale);
}

TEST_F(RoundTest, NumbersEachOfferAnew) {
  EXPECT_EQ(offer(0, kA), 1U);
  round_.refuse(0, current(0), now_);
  EXPECT_EQ(offer(0, kB), 2U);
  round_.fail(0, current(0), "why", now_);
  EXPECT_EQ(offer(0, kA), 3U);
  EXPECT_EQ(offer(1, kB), 1U);
  EXPECT_EQ(round_.id("job", 0, current(0)), (TaskId{"job", 3, 0, 3}));
}

TEST_F(RoundTest, AcceptsOnceAndOnlyTheCurrentOffer) {
  const std::uint64_t number = offer(0, kA);
  EXPECT_FALSE(round_.accept(0, number + 1, now_));
  EXPECT_TRUE(round_.accept(0, number, now_));
  EXPECT_FALSE(round_.accept(0, number, now_));
  EXPECT_EQ(round_.accepted(), 1U);
  EXPECT_EQ(round_.offered(), 1U);
}

TEST_F(RoundTest, WhatLeavesANodeIsPendingAgain) {
  round_.queue(0, kA);
  round_.unqueue(0);
  offer(1, kA);
  round_.refuse(1, current(1), now_);
  begin(2, kA);
  round_.fail(2, current(2), "sent garbage", now_);
  EXPECT_EQ(round_.pending(), (std::set<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(round_.choosy(), (std::set<std::uint32_t>{1, 2}));
  EXPECT_EQ(round_.offered(), 0U);
  EXPECT_EQ(round_.accepted(), 0U);
}

TEST_F(RoundTest, IsIdleSinceTheLastAcceptedTaskLeftItsNode) {
  EXPECT_EQ(round_.idle_since(), now_);
  offer(0, kA);
  round_.refuse(0, current(0), now_ + 1s);
  EXPECT_EQ(round_.idle_since(), now_) << "an offer alone is no sign of capacity";
  offer(0, kA);
  round_.fail(0, current(0), "sent garbage", now_ + 2s);
  EXPECT_EQ(round_.idle_since(), now_) << "nor is a failure";
  begin(0, kA);
  round_.lose(0, current(0), now_ + 3s);
  EXPECT_EQ(round_.idle_since(), now_ + 3s);
}

TEST_F(RoundTest, ANodeThatRefusedIsNotWantedUntilItIsForgiven) {
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    offer(shard, kA);
    round_.refuse(shard, current(shard), now_);
  }
  EXPECT_FALSE(round_.wants(kA));
  EXPECT_TRUE(round_.wants(kB));
  round_.back_off(0, now_ + 50ms);
  EXPECT_FALSE(round_.wants(kA));
  EXPECT_EQ(round_.task(0).backoffs, 1U);
  round_.forgive(0);
  EXPECT_TRUE(round_.wants(kA));
  EXPECT_EQ(round_.task(0).backoffs, 1U);
  EXPECT_EQ(round_.choosy(), (std::set<std::uint32_t>{1, 2}));
}

TEST_F(RoundTest, AnAcceptanceForgivesAllRefusals) {
  offer(0, kA);
  round_.refuse(0, current(0), now_);
  round_.back_off(0, now_ + 50ms);
  begin(0, kB);
  EXPECT_TRUE(round_.task(0).refused_by.empty());
  EXPECT_FALSE(round_.task(0).forgiven_at.has_value());
  EXPECT_EQ(round_.task(0).backoffs, 0U);
}

TEST_F(RoundTest, TwoNodesThatDivergeAreBelieved) {
  begin(0, kA);
  round_.diverge(0, current(0), now_);
  EXPECT_FALSE(round_.diverged(0, nodes_));
  EXPECT_EQ(round_.closed_to(0), (std::set<NodeId>{kA}));
  EXPECT_EQ(round_.choosy(), (std::set<std::uint32_t>{0}));
  EXPECT_TRUE(round_.wants(kA)) << "for the other shards";
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_));
  offer(0, kB);
  round_.diverge(0, current(0), now_);
  EXPECT_TRUE(round_.diverged(0, nodes_));
  EXPECT_FALSE(round_.diverged(1, nodes_));
}

TEST_F(RoundTest, OneNodeThatDivergesIsBelievedIfNoOtherLives) {
  offer(0, kA);
  round_.diverge(0, current(0), now_);
  nodes_.down(kB, "gone");
  EXPECT_TRUE(round_.diverged(0, nodes_));
  nodes_.down(kA, "gone");
  EXPECT_TRUE(round_.diverged(0, nodes_));
  EXPECT_FALSE(round_.diverged(1, nodes_)) << "nobody said so";
}

TEST_F(RoundTest, FourFailuresAreHopelessOnceEveryNodeAliveHasTried) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value()) << i;
    begin(0, kA);
    round_.fail(0, current(0), "node:4100: sent garbage", now_);
  }
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value()) << "node B has not tried";
  nodes_.down(kB, "gone");
  const auto end = round_.hopeless(0, "it", nodes_);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->reason, "shard_failed");
  EXPECT_EQ(end->message, "it failed 4 times, last on node:4100: sent garbage");
}

TEST_F(RoundTest, SixteenFailuresAreHopelessWhateverTheNodes) {
  for (int i = 0; i < 16; ++i) {
    EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value()) << i;
    offer(0, kA);
    round_.fail(0, current(0), "sent garbage", now_);
  }
  EXPECT_EQ(round_.hopeless(0, "it", nodes_)->reason, "shard_failed");
}

TEST_F(RoundTest, AShardThatEndsProcessesOnTwoNodesIsPoison) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(round_.hopeless(1, "it", nodes_).has_value()) << i;
    die(1, i < 3 ? kA : kB);
  }
  const auto end = round_.hopeless(1, "it", nodes_);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->reason, "poison_shard");
  EXPECT_EQ(end->message,
            "it ended 4 processes that had begun it, on 2 nodes, last on node:4101; "
            "see the nodes' logs");
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value());
}

TEST_F(RoundTest, OneNodeThatKeepsDyingIsNoPoisonButHopelessInTheEnd) {
  for (int i = 0; i < 16; ++i) {
    EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value()) << i;
    die(0, kA);
  }
  const auto end = round_.hopeless(0, "it", nodes_);
  EXPECT_EQ(end->reason, "shard_failed");
  EXPECT_EQ(end->message, "it was begun 16 times for nothing, last on node:4100");
}

TEST_F(RoundTest, NodesThatAcceptAndTakeItBackAreHopelessInTheEnd) {
  for (int i = 0; i < 16; ++i) {
    EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value()) << i;
    begin(0, i % 3 == 0 ? kA : kB);
    if (i % 2 == 0) {
      round_.refuse(0, current(0), now_);
    } else {
      round_.give_back(0, current(0), now_);
    }
  }
  EXPECT_EQ(round_.hopeless(0, "it", nodes_)->reason, "shard_failed");
}

TEST_F(RoundTest, LossesThatTheirNodesSurviveCountForNothing) {
  for (int i = 0; i < 100; ++i) {
    const NodeId node = i % 2 == 0 ? kA : kB;
    begin(0, node);
    round_.lose(0, current(0), now_);
    round_.survived(node);
  }
  EXPECT_THAT(round_.died(kA), testing::IsEmpty());
  EXPECT_TRUE(round_.task(0).died_on.empty());
  EXPECT_EQ(round_.task(0).ended_with, 0U);
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value());
}

TEST_F(RoundTest, AProcessDiesOnceHoweverOftenItsCallsWereLost) {
  for (int i = 0; i < 5; ++i) {
    begin(0, kA);
    round_.lose(0, current(0), now_);
  }
  EXPECT_THAT(round_.died(kB), testing::IsEmpty());
  EXPECT_THAT(round_.died(kA), testing::ElementsAre(0U));
  EXPECT_THAT(round_.died(kA), testing::IsEmpty());
  EXPECT_EQ(round_.task(0).died_on, (std::vector<NodeId>{kA}));
}

TEST_F(RoundTest, ADeathBeforeTheTaskBeganIsNotOfItButMakesItSuspect) {
  for (int i = 0; i < 100; ++i) {
    const NodeId node = i % 2 == 0 ? kA : kB;
    offer(0, node);
    round_.lose(0, current(0), now_);
    EXPECT_THAT(round_.died(node), testing::ElementsAre(0U));
  }
  EXPECT_TRUE(round_.task(0).died_on.empty());
  EXPECT_TRUE(round_.task(0).is_suspect());
  EXPECT_EQ(round_.choosy(), (std::set<std::uint32_t>{0})) << "not every node will do";
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value());
}

TEST_F(RoundTest, AProcessDiesOnlyOfWhatItHadBegunWhileItLived) {
  begin(0, kA);
  round_.lose(0, current(0), now_);
  EXPECT_THAT(round_.died(kA, now_ - 1ns), testing::ElementsAre(0U));
  EXPECT_TRUE(round_.task(0).died_on.empty()) << "the new process had begun it";
}

TEST_F(RoundTest, ADeathAfterTheResultIsOfNoMatter) {
  begin(0, kA);
  round_.lose(0, current(0), now_);
  const std::uint64_t number = begin(0, kB);
  EXPECT_EQ(complete(0, number, result("x"), now_), Verdict::kCounted);
  EXPECT_THAT(round_.died(kA), testing::IsEmpty());
}

TEST_F(RoundTest, OffersGivenBackBeforeTheyBeganCountForNothing) {
  for (int i = 0; i < 100; ++i) {
    offer(0, kA);
    round_.give_back(0, current(0), now_);
  }
  EXPECT_FALSE(round_.hopeless(0, "it", nodes_).has_value());
  EXPECT_TRUE(round_.choosy().empty());
}

TEST_F(RoundTest, ReportsTimesPerTask) {
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    round_.queue(shard, kB);
    const std::uint64_t number = round_.offer(shard, now_ + 1s);
    EXPECT_EQ(complete(shard, number, result("x"), now_ + 2s), Verdict::kCounted);
  }
  const RoundReport report = round_.report(nodes_, now_ + 3s);
  EXPECT_EQ(report.round, 3U);
  EXPECT_DOUBLE_EQ(report.seconds, 3);
  ASSERT_EQ(report.tasks.size(), 3U);
  EXPECT_EQ(report.tasks[2].shard, 2U);
  EXPECT_EQ(report.tasks[2].node, "node:4101");
  EXPECT_EQ(report.tasks[2].epochs, 7U);
  EXPECT_DOUBLE_EQ(report.tasks[2].loss, 2);
  EXPECT_DOUBLE_EQ(report.tasks[2].compute, 0.5);
  EXPECT_DOUBLE_EQ(report.tasks[2].wait, 1.25);
  EXPECT_DOUBLE_EQ(report.tasks[2].transfer, 0.25);
}

TEST_F(RoundTest, TransferTimeIsNeverNegative) {
  const std::uint64_t number = offer(0, kA);
  EXPECT_EQ(complete(0, number, result("x"), now_ + 100ms), Verdict::kCounted);
  EXPECT_EQ(round_.task(0).transfer_seconds, 0);
}

TEST_F(RoundTest, GoesAlongTheRowsOfAPredictionJob) {
  const std::uint64_t first = begin(0, kA);
  ASSERT_EQ(complete(0, first, result("0"), now_), Verdict::kCounted);
  round_.lose(1, begin(1, kB), now_);
  round_.extend(2, now_ + 1s);
  ASSERT_EQ(complete(1, begin(1, kA), result("1"), now_), Verdict::kCounted);
  round_.forget_before(2);
  round_.check_invariants();
  EXPECT_EQ(round_.first(), 2U);
  EXPECT_EQ(round_.size(), 5U);
  EXPECT_EQ(round_.done(), 2U);
  EXPECT_EQ(round_.pending(), (std::set<std::uint32_t>{2, 3, 4}));
  EXPECT_TRUE(round_.shards_done().empty());
  EXPECT_EQ(complete(0, first, result("0"), now_), Verdict::kStale);
  EXPECT_FALSE(round_.accept(1, 1, now_));
  EXPECT_TRUE(round_.died(kB).empty()) << "what it was lost with is done";
  for (std::uint32_t shard = 2; shard < 5; ++shard) {
    EXPECT_FALSE(round_.complete());
    ASSERT_EQ(complete(shard, begin(shard, kA), result("x"), now_ + 2s), Verdict::kCounted);
  }
  EXPECT_TRUE(round_.complete());
  now_ += 9s;
  round_.extend(1, now_);
  EXPECT_FALSE(round_.complete());
  EXPECT_EQ(round_.idle_since(), now_) << "there was nothing to do until now";
}

TEST_F(RoundTest, AMoveThatMakesNoSenseIsABug) {
  EXPECT_DEATH(static_cast<void>(round_.offer(0, now_)), "bug: .*kQueued");
  EXPECT_DEATH(round_.refuse(0, 1, now_), "bug: known");
  round_.queue(0, kA);
  EXPECT_DEATH(round_.queue(0, kB), "bug: .*kPending");
}

}  // namespace
}  // namespace gradmill::coordinator
