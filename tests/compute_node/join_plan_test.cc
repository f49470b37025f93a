#include "compute_node/membership/join_plan.h"

#include <gtest/gtest.h>

namespace gradmill::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Address kSelf{"node", 5000};
const Address kA{"a", 1};
const Address kB{"b", 2};

/// A plan under a clock that only moves when it is told to.
class PlanTest : public testing::Test {
 protected:
  PlanTest() : PlanTest({kA}) {}
  explicit PlanTest(std::vector<Address> coordinators) : plan_(std::move(coordinators), kSelf) {}

  JoinPlan::Step next() {
    JoinPlan::Step step = plan_.next(now_, heard_);
    note(step.news);
    return step;
  }
  /// Lets time pass until something is to be announced; whom to, or nothing within `limit`.
  std::optional<std::size_t> announced(milliseconds limit = seconds(60)) {
    const auto end = now_ + limit;
    while (now_ <= end) {
      const JoinPlan::Step step = next();
      if (step.announce) {
        return step.announce;
      }
      EXPECT_GT(step.until + milliseconds(1), now_) << "a busy loop";
      now_ = std::max(step.until, now_);
    }
    now_ = end;
    return std::nullopt;
  }
  void fail(ErrorCode code = ErrorCode::kUnreachable) {
    note(plan_.failed(Error(code, "a:1: why"), now_));
  }
  void accept(const std::string& id) { note(plan_.answered({true, "", id}, now_)); }
  void refuse() { note(plan_.answered({false, "was taken out", ""}, now_)); }
  void beat() { heard_ = now_ += milliseconds(10); }
  void note(const std::optional<LogEvent>& news) {
    if (news) {
      EXPECT_EQ(news->fields.back().name, "coordinator");
      told_.push_back(news->event + ' ' + std::get<std::string>(news->fields.back().value));
    }
  }

  JoinPlan plan_;
  JoinPlan::TimePoint now_{seconds(1000)};
  JoinPlan::TimePoint heard_{};
  std::vector<std::string> told_;
};

class PlanOfTwoTest : public PlanTest {
 protected:
  PlanOfTwoTest() : PlanTest({kA, kB}) {}
};

TEST_F(PlanTest, PausesGrowFrom250MillisecondsToTwoSecondsWithOneLine) {
  ASSERT_EQ(announced(), 0U);
  std::vector<milliseconds> pauses;
  for (int n = 0; n < 6; ++n) {
    fail();
    const auto before = now_;
    ASSERT_EQ(announced(), 0U);
    pauses.push_back(std::chrono::duration_cast<milliseconds>(now_ - before));
  }
  EXPECT_EQ(pauses,
            (std::vector<milliseconds>{milliseconds(250),
                                       milliseconds(500),
                                       milliseconds(1000),
                                       milliseconds(2000),
                                       milliseconds(2000),
                                       milliseconds(2000)}));
  EXPECT_EQ(told_, std::vector<std::string>{"join_failed a:1"});
}

TEST_F(PlanTest, IsSilentWhileHeartbeatsCome) {
  ASSERT_EQ(announced(), 0U);
  accept("c");
  EXPECT_EQ(plan_.acknowledged_by(), "c");
  for (int n = 0; n < 20; ++n) {
    beat();
    EXPECT_EQ(announced(milliseconds(1000)), std::nullopt);
  }
  EXPECT_EQ(told_, std::vector<std::string>{"joined a:1"});
}

TEST_F(PlanTest, AnnouncesAgainAfterThreeSecondsWithoutAHeartbeat) {
  ASSERT_EQ(announced(), 0U);
  accept("c");
  beat();
  static_cast<void>(next());
  const auto before = now_;
  ASSERT_EQ(announced(), 0U);
  EXPECT_EQ(now_ - before, seconds(3));
  EXPECT_EQ(plan_.acknowledged_by(), "");
  fail();
  ASSERT_EQ(announced(), 0U);
  accept("restarted");
  beat();
  static_cast<void>(next());
  EXPECT_EQ(told_, (std::vector<std::string>{"joined a:1", "coordinator_quiet a:1", "joined a:1"}));
}

TEST_F(PlanTest, SaysOnceThatAnAcknowledgementWasNotFollowedByHeartbeats) {
  for (int n = 0; n < 10; ++n) {
    ASSERT_EQ(announced(), 0U);
    accept("c");
  }
  EXPECT_EQ(told_, std::vector<std::string>{"join_unheard a:1"});
  beat();
  static_cast<void>(next());
  EXPECT_EQ(told_.back(), "joined a:1");
}

TEST_F(PlanTest, AHeartbeatFromBeforeTheAcknowledgementIsNoProof) {
  heard_ = now_ - milliseconds(1);
  ASSERT_EQ(announced(), 0U);
  accept("c");
  EXPECT_EQ(announced(milliseconds(2500)), std::nullopt);
  EXPECT_TRUE(told_.empty());
}

TEST_F(PlanTest, ARefusalIsSaidOnceAndAskedAboutEvery30Seconds) {
  ASSERT_EQ(announced(), 0U);
  for (int n = 0; n < 3; ++n) {
    refuse();
    const auto before = now_;
    ASSERT_EQ(announced(), 0U);
    EXPECT_EQ(now_ - before, seconds(30));
  }
  EXPECT_EQ(told_, std::vector<std::string>{"join_refused a:1"});
  accept("c");
  beat();
  static_cast<void>(next());
  EXPECT_EQ(told_.back(), "joined a:1");
}

TEST_F(PlanTest, NewsNameTheCoordinatorOnce) {
  ASSERT_EQ(announced(), 0U);
  const auto news = plan_.failed(Error(ErrorCode::kUnreachable, "a:1: closed"), now_);
  ASSERT_TRUE(news);
  EXPECT_EQ(news->message, "closed");
}

TEST_F(PlanTest, AnErrorThatWillNotPassIsARefusal) {
  ASSERT_EQ(announced(), 0U);
  fail(ErrorCode::kInvalidInput);
  const auto before = now_;
  ASSERT_EQ(announced(), 0U);
  EXPECT_EQ(now_ - before, seconds(30));
  EXPECT_EQ(told_, std::vector<std::string>{"join_refused a:1"});
}

TEST_F(PlanOfTwoTest, TakesTurnsUntilOneAcknowledges) {
  for (const std::size_t expected : {0U, 1U, 0U, 1U}) {
    ASSERT_EQ(announced(), expected);
    fail();
  }
  ASSERT_EQ(announced(), 0U);
  accept("c");
  for (int n = 0; n < 10; ++n) {
    beat();
    EXPECT_EQ(announced(milliseconds(1000)), std::nullopt) << "one is enough";
  }
  EXPECT_EQ(told_, (std::vector<std::string>{"join_failed a:1", "join_failed b:2", "joined a:1"}));
}

TEST_F(PlanOfTwoTest, TriesTheNextOneWhenItsCoordinatorGoesQuiet) {
  ASSERT_EQ(announced(), 0U);
  accept("c");
  beat();
  ASSERT_EQ(announced(), 1U);
  fail();
  ASSERT_EQ(announced(), 0U);
}

TEST_F(PlanOfTwoTest, ARefusalByOneDoesNotHoldUpTheOther) {
  ASSERT_EQ(announced(), 0U);
  refuse();
  const auto refused = now_;
  while (now_ < refused + seconds(25)) {
    ASSERT_EQ(announced(), 1U);
    fail();
  }
  ASSERT_EQ(announced(), 1U);
  refuse();
  ASSERT_EQ(announced(), 0U);
  EXPECT_EQ(now_ - refused, seconds(30));
}

}  // namespace
}  // namespace gradmill::node
