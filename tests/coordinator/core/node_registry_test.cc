#include "coordinator/core/nodes/node_registry.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

NodeHello hello(const std::string& incarnation, std::uint32_t slots = 1) {
  return {.incarnation = incarnation, .kernel_id = std::string(ml::kernel_id()), .slots = slots};
}

TaskId task(std::uint32_t shard) { return {.job = "job", .round = 1, .shard = shard, .offer = 1}; }

class NodeRegistryTest : public testing::Test {
 protected:
  NodeRegistry nodes_;
  NodeId node_ = nodes_.add({"10.0.0.1", 4100});
  TimePoint now_ = TimePoint{} + 1h;
};

TEST_F(NodeRegistryTest, ANewNodeIsNotUsedBeforeItAnswers) {
  EXPECT_FALSE(nodes_.usable(node_, now_));
  EXPECT_EQ(nodes_.in_words({}), "10.0.0.1:4100 has not answered yet");
  nodes_.up(node_, {.hello = hello("a")}, now_);
  EXPECT_TRUE(nodes_.usable(node_, now_));
  EXPECT_EQ(nodes_.in_words({}), "10.0.0.1:4100 took no task");
  EXPECT_EQ(NodeRegistry().in_words({}), "there are no nodes");
}

TEST_F(NodeRegistryTest, ANodeWithAnotherKernelIsNotUsedAndSaysWhy) {
  NodeHello other = hello("a");
  other.kernel_id = "abacus";
  nodes_.up(node_, {.hello = other}, now_);
  EXPECT_FALSE(nodes_.usable(node_, now_));
  EXPECT_TRUE(nodes_.alive().empty());
  EXPECT_THAT(nodes_.in_words({}), HasSubstr("its kernel 'abacus' may give other bits"));
}

TEST_F(NodeRegistryTest, ANodeHasAtLeastOneSlot) {
  nodes_.up(node_, {.hello = hello("a", 0)}, now_);
  EXPECT_EQ(nodes_.view(node_, now_).slots, 1U);
}

TEST_F(NodeRegistryTest, ADeadNodeIsAbsentFromTheViews) {
  const NodeId other = nodes_.add({"10.0.0.2", 4100});
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.up(other, {.hello = hello("b")}, now_);
  EXPECT_EQ(nodes_.views({}, {}, now_).size(), 2U);
  nodes_.down(node_, "connection refused");
  ASSERT_EQ(nodes_.views({}, {}, now_).size(), 1U);
  EXPECT_EQ(nodes_.views({}, {}, now_)[0].id, other);
  EXPECT_THAT(nodes_.in_words({}), HasSubstr("10.0.0.1:4100 connection refused"));
}

TEST_F(NodeRegistryTest, ANodeThatFailsBySilenceHasMissedAHeartbeat) {
  const auto missed = [&] { return nodes_.status(node_, now_).heartbeats_missed; };
  std::vector<NodeId> forgotten;
  nodes_.up(node_, {.hello = hello("a")}, now_);
  EXPECT_THAT(nodes_.judge_silence(now_ + 6s, forgotten), testing::ElementsAre(node_));
  EXPECT_EQ(missed(), 1U);
  nodes_.missed(node_, "no answer within 9 s");
  EXPECT_EQ(missed(), 1U) << "that one is counted already";
  nodes_.missed(node_, "no answer within 9 s");
  EXPECT_EQ(missed(), 2U);
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.missed(node_, "no answer within 2 s");
  EXPECT_THAT(nodes_.judge_silence(now_ + 6s, forgotten), testing::ElementsAre(node_));
  EXPECT_EQ(missed(), 3U) << "one is enough to know of";
}

TEST_F(NodeRegistryTest, SilenceWhileNobodyListenedIsExcused) {
  std::vector<NodeId> forgotten;
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.excuse_silence(1h, now_ + 1h);
  EXPECT_THAT(nodes_.judge_silence(now_ + 1h + 2s, forgotten), testing::IsEmpty());
  EXPECT_TRUE(nodes_.usable(node_, now_ + 1h));
  EXPECT_THAT(nodes_.judge_silence(now_ + 1h + 6s, forgotten), testing::ElementsAre(node_));
}

TEST_F(NodeRegistryTest, ViewsLeaveOutRefusersAndThoseThatFailedUnlessNoOtherIsLeft) {
  const NodeId other = nodes_.add({"10.0.0.2", 4100});
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.up(other, {.hello = hello("b")}, now_);
  EXPECT_TRUE(nodes_.views({node_, other}, {}, now_).empty());
  ASSERT_EQ(nodes_.views({}, {node_}, now_).size(), 1U);
  EXPECT_EQ(nodes_.views({}, {node_}, now_)[0].id, other);
  ASSERT_EQ(nodes_.views({other}, {node_}, now_).size(), 1U);
  EXPECT_EQ(nodes_.views({other}, {node_}, now_)[0].id, node_);
}

TEST_F(NodeRegistryTest, FaultsSetANodeAsideFor100MsDoublingUpTo5S) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  Duration pause = 100ms;
  for (int i = 0; i < 40; ++i) {
    nodes_.fault(node_, "sent garbage", now_);
    EXPECT_FALSE(nodes_.usable(node_, now_ + pause - 1ns)) << i;
    EXPECT_TRUE(nodes_.usable(node_, now_ + pause)) << i;
    now_ += pause;
    pause = std::min<Duration>(2 * pause, 5s);
  }
  EXPECT_THAT(nodes_.in_words({}), HasSubstr("sent garbage"));
}

TEST_F(NodeRegistryTest, FaultsOfOneIncidentCountOnce) {
  nodes_.up(node_, {.hello = hello("a", 8)}, now_);
  for (int slot = 0; slot < 8; ++slot) {
    nodes_.fault(node_, "connection reset", now_);
  }
  EXPECT_TRUE(nodes_.usable(node_, now_ + 100ms));
}

TEST_F(NodeRegistryTest, AGoodResultForgivesFaults) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.fault(node_, "sent garbage", now_);
  nodes_.fault(node_, "sent garbage", now_ + 1s);
  nodes_.finished(node_, 100ms, 1, now_ + 2s);
  EXPECT_EQ(nodes_.in_words({}), "10.0.0.1:4100 took no task");
  nodes_.fault(node_, "sent garbage", now_ + 3s);
  EXPECT_TRUE(nodes_.usable(node_, now_ + 3100ms));
}

TEST_F(NodeRegistryTest, AHeartbeatDoesNotHideWhatANodeDidWrong) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.fault(node_, "sent garbage", now_);
  nodes_.up(node_, {.hello = hello("a")}, now_);
  EXPECT_FALSE(nodes_.usable(node_, now_));
  EXPECT_THAT(nodes_.in_words({{node_, {.refused = 1}}}),
              HasSubstr("refused 1 offer (simulated load), sent garbage"));
}

TEST_F(NodeRegistryTest, ABusyNodeIsLeftAloneUntilThenOrUntilItStartsAnew) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.busy(node_, now_ + 80ms);
  EXPECT_FALSE(nodes_.usable(node_, now_));
  EXPECT_EQ(nodes_.usable_from(node_), now_ + 80ms);
  EXPECT_THAT(nodes_.in_words({}), HasSubstr("had no room"));
  nodes_.up(node_, {.hello = hello("a")}, now_);
  EXPECT_FALSE(nodes_.usable(node_, now_));
  nodes_.up(node_, {.hello = hello("b")}, now_);
  EXPECT_TRUE(nodes_.usable(node_, now_));
}

TEST_F(NodeRegistryTest, AveragesSpeedAndLetsItFadeWhileTheNodeIsIdle) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  EXPECT_EQ(nodes_.view(node_, now_).seconds_per_row, 0);
  nodes_.finished(node_, 1s, 1, now_);
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_).seconds_per_row, 1.0);
  nodes_.finished(node_, 20s, 10, now_);
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_).seconds_per_row, 1.3);
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_ + 2s).seconds_per_row, 0.65);
  nodes_.offer(node_, task(0));
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_ + 2s).seconds_per_row, 1.3);
}

TEST_F(NodeRegistryTest, SpeedFadesAsFastAsTasksAreShort) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.finished(node_, 3ms, 1, now_);
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_ + 6ms).seconds_per_row, 0.0015);
  EXPECT_DOUBLE_EQ(nodes_.view(node_, now_ + 12ms).seconds_per_row, 0.00075);
}

TEST_F(NodeRegistryTest, AnIdleNodeIsShownNoFasterThanTheFastest) {
  const NodeId slow = nodes_.add({"slow", 1});
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.up(slow, {.hello = hello("b")}, now_);
  nodes_.finished(node_, 1ms, 1, now_);
  nodes_.finished(slow, 16ms, 1, now_);
  const auto speeds = [&](Duration idle) {
    std::vector<double> seconds;
    for (const NodeView& view : nodes_.views({}, {}, now_ + idle)) {
      seconds.push_back(view.seconds_per_row);
    }
    return seconds;
  };
  EXPECT_THAT(speeds(0ms), testing::ElementsAre(0.001, 0.016));
  EXPECT_THAT(speeds(64ms), testing::ElementsAre(0.001, 0.004));
  EXPECT_THAT(speeds(10s), testing::ElementsAre(0.001, 0.001));
}

TEST_F(NodeRegistryTest, RefusalsRaiseTheShareAndResultsLowerIt) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  for (int i = 0; i < 100; ++i) {
    nodes_.refused(node_);
  }
  EXPECT_NEAR(nodes_.view(node_, now_).refusal_share, 1, 1e-9);
  EXPECT_LE(nodes_.view(node_, now_).refusal_share, 1);
  for (int i = 0; i < 100; ++i) {
    nodes_.finished(node_, 1s, 1, now_);
  }
  EXPECT_NEAR(nodes_.view(node_, now_).refusal_share, 0, 1e-9);
}

TEST_F(NodeRegistryTest, CountsWhatIsQueuedAndOfferedAsInFlight) {
  nodes_.up(node_, {.hello = hello("a", 1)}, now_);
  nodes_.enqueue(node_, {1, 5});
  nodes_.enqueue(node_, {2, 5});
  nodes_.enqueue(node_, {1, 6});
  EXPECT_EQ(nodes_.view(node_, now_).in_flight, 3U);
  EXPECT_EQ(nodes_.dequeue(node_, 3), std::nullopt) << "nothing of it is queued";
  EXPECT_EQ(nodes_.dequeue(node_, 1), 5U);
  nodes_.offer(node_, task(5));
  EXPECT_EQ(nodes_.dequeue(node_, 2), std::nullopt) << "no slot is free";
  EXPECT_EQ(nodes_.view(node_, now_).in_flight, 3U);
  EXPECT_TRUE(nodes_.owes("job"));
  EXPECT_FALSE(nodes_.owes("jo"));
  EXPECT_FALSE(nodes_.owes("job2"));
  nodes_.answered(node_, task(5));
  EXPECT_FALSE(nodes_.owes("job"));
  EXPECT_EQ(nodes_.take_queue(node_), (std::vector<TaskKey>{{1, 6}, {2, 5}}));
  EXPECT_EQ(nodes_.view(node_, now_).in_flight, 0U);
}

TEST_F(NodeRegistryTest, AnOfferAnsweredTwiceIsABug) {
  nodes_.up(node_, {.hello = hello("a")}, now_);
  nodes_.offer(node_, task(1));
  nodes_.answered(node_, task(1));
  EXPECT_DEATH(nodes_.answered(node_, task(1)), "bug: was_out");
}

}  // namespace
}  // namespace gradmill::coordinator
