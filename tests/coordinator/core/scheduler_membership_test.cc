// Nodes that join, leave, fall silent, fail, are forgotten and come back.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "ml/kernel/kernels.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class Membership : public testing::Test {
 protected:
  [[nodiscard]] NodeState state(NodeId node) const {
    return cluster_.scheduler().nodes().at(node).state;
  }

  Cluster cluster_{"load-balancing", SchedulerOptions{.detection = {3s, 5s, 10min}}};
};

TEST_F(Membership, SilenceMakesANodeSuspectAndThenFailed) {
  const NodeId node = cluster_.add_node();
  const NodeId other = cluster_.add_node();
  cluster_.submit("job", 4, 1);
  const TaskId held = cluster_.only(node);
  cluster_.accept(held);
  const auto pass_with_other = [&](Duration time) {
    for (Duration passed{}; passed < time; passed += 500ms) {
      cluster_.pass(500ms);
      cluster_.up(other);
    }
  };
  pass_with_other(2500ms);
  EXPECT_EQ(state(node), NodeState::kAlive);
  pass_with_other(500ms);
  EXPECT_EQ(state(node), NodeState::kSuspect);
  EXPECT_FALSE(cluster_.is_cancelled(held)) << "it keeps what it has";
  pass_with_other(2s);
  EXPECT_EQ(state(node), NodeState::kFailed);
  EXPECT_TRUE(cluster_.is_cancelled(held));
  EXPECT_EQ(state(other), NodeState::kAlive);
  cluster_.up(node);
  EXPECT_EQ(state(node), NodeState::kAlive);
  EXPECT_EQ(cluster_.scheduler().nodes().at(node).false_suspicions, 1U);
}

TEST_F(Membership, ASuspectGetsNoTasksAndLosesItsQueue) {
  const NodeId node = cluster_.add_node();
  cluster_.submit("job", 3, 1);
  const TaskId held = cluster_.only();
  cluster_.pass(4s);
  EXPECT_EQ(state(node), NodeState::kSuspect);
  cluster_.complete(held);
  EXPECT_THAT(cluster_.wanted(), IsEmpty());
  cluster_.up(node);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1));
}

TEST_F(Membership, ANodeThatLeavesFinishesItsTaskAndGetsNoMore) {
  const NodeId node = cluster_.add_node();
  cluster_.submit("job", 2, 1);
  const TaskId held = cluster_.only();
  cluster_.leave(node);
  EXPECT_EQ(state(node), NodeState::kLeft);
  EXPECT_FALSE(cluster_.is_cancelled(held));
  cluster_.complete(held);
  EXPECT_THAT(cluster_.wanted(), IsEmpty());
  EXPECT_EQ(cluster_.tally("job", node).failed, 0U);
  cluster_.down(node);
  EXPECT_EQ(state(node), NodeState::kLeft) << "that is no failure";
  cluster_.restart(node);
  EXPECT_EQ(state(node), NodeState::kAlive);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1));
}

TEST_F(Membership, AConnectionThatBreaksWhenANodeLeavesIsNoFault) {
  const NodeId node = cluster_.add_node();
  cluster_.submit("job", 1, 1);
  const TaskId held = cluster_.only();
  cluster_.accept(held);
  cluster_.leave(node);
  cluster_.lose(held, "connection reset");
  EXPECT_EQ(cluster_.tally("job", node).failed, 0U);
  EXPECT_EQ(cluster_.scheduler().nodes().at(node).tally.failed, 0U);
}

TEST_F(Membership, ANodeTakenOutByHandComesBackByHand) {
  const NodeId node = cluster_.add_node();
  cluster_.remove_node(node);
  cluster_.up(node);
  EXPECT_EQ(state(node), NodeState::kLeft);
  cluster_.submit("job", 1, 1);
  EXPECT_THAT(cluster_.wanted(), IsEmpty());
  cluster_.readd_node(node);
  cluster_.up(node);
  EXPECT_THAT(cluster_.wanted(), SizeIs(1));
}

TEST(MembershipOfJoined, ANewProcessOfANodeTakenOutIsTakenInAlsoIfItsHeartbeatCameFirst) {
  Scheduler scheduler({}, make_policy("random", 1));
  const TimePoint now = TimePoint{} + 1h;
  const Address address{"node", 1};
  const auto beat = [&](const char* incarnation) {
    static_cast<void>(scheduler.heartbeat(0, {.hello = {incarnation, ml::kernel_id(), 1}}, now));
  };
  static_cast<void>(scheduler.announce_node(address, "a", now));
  beat("a");
  static_cast<void>(scheduler.remove_node(0, now));
  static_cast<void>(scheduler.announce_node(address, "a", now));
  EXPECT_TRUE(scheduler.nodes().at(0).removed);
  beat("b");
  static_cast<void>(scheduler.announce_node(address, "b", now));
  EXPECT_FALSE(scheduler.nodes().at(0).removed);
}

TEST_F(Membership, AListedNodeIsNeverForgotten) {
  const NodeId node = cluster_.add_node();
  cluster_.down(node);
  cluster_.pass(1h);
  EXPECT_FALSE(cluster_.scheduler().nodes().at(node).forgotten);
}

TEST(MembershipOfJoined, AMemberThatNeverAnswersIsForgottenToo) {
  Scheduler scheduler({.detection = {3s, 5s, 10min}}, make_policy("random", 1));
  const TimePoint now = TimePoint{} + 1h;
  static_cast<void>(scheduler.restore({}, {{{"node", 1}, NodeSource::kJoined}}, now));
  ASSERT_EQ(scheduler.wakeup(now), now + 10min);
  static_cast<void>(scheduler.tick(now + 10min));
  EXPECT_EQ(scheduler.nodes().members(), 0U);
}

TEST(MembershipOfJoined, ANodeThatJoinedIsForgottenAfterLongSilence) {
  Scheduler scheduler({.detection = {3s, 5s, 10min}}, make_policy("random", 1));
  TimePoint now = TimePoint{} + 1h;
  const Address address{"node", 1};
  static_cast<void>(scheduler.announce_node(address, "a", now));
  static_cast<void>(scheduler.heartbeat(0, {.hello = {"a", ml::kernel_id(), 1}}, now));
  now += 10min;
  bool unwatched = false;
  for (const Action& action : scheduler.tick(now)) {
    unwatched = unwatched || std::holds_alternative<UnwatchNode>(action);
  }
  EXPECT_TRUE(unwatched);
  const NodeBeat late = {.hello = {"a", ml::kernel_id(), 1}};
  EXPECT_TRUE(scheduler.heartbeat(0, late, now).empty()) << "its answer was on the way";
  EXPECT_EQ(scheduler.nodes().at(0).state, NodeState::kLeft);
  EXPECT_FALSE(scheduler.nodes().find(address).has_value());
  static_cast<void>(scheduler.announce_node(address, "b", now));
  EXPECT_EQ(scheduler.nodes().find(address), NodeId{1}) << "it may join again";
}

}  // namespace
}  // namespace gradmill::coordinator
