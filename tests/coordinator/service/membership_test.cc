// Nodes that join, leave, fall silent and come back while jobs run.
#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/service/service_fixture.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

class MembershipTest : public ServiceTest {
 protected:
  /// A node that the coordinator has not heard of.
  Address add_process() {
    const auto number = static_cast<std::uint16_t>(nodes_.size() + 1);
    nodes_.push_back(
        std::make_unique<InProcessNode>(0, Fault::kNone, "node:" + std::to_string(number)));
    return {"node", number};
  }

  NodeStatus status_of(const Address& address) {
    for (const NodeStatus& node : coordinator_->nodes()) {
      if (node.address == address) {
        return node;
      }
    }
    ADD_FAILURE() << "no node " << address.text();
    return {};
  }

  /// Waits until the node has this state; the job's followers are woken by nothing, so it asks.
  NodeStatus await(const Address& address, NodeState state) {
    NodeStatus status = status_of(address);
    for (int asked = 0; asked < 1000 && status.state != state; ++asked) {
      static_cast<void>(
          coordinator_->follow({.job = "job", .version = ~0ULL >> 1U}, milliseconds(10)));
      status = status_of(address);
    }
    EXPECT_EQ(status.state, state) << status.trouble;
    return status;
  }

  JobSpecification endless() const {
    JobSpecification job = specification_;
    job.rule.epochs = kEpochsMax;
    job.rule.min_loss_change = 0;
    return job;
  }
};

TEST_F(MembershipTest, ANodeThatAnnouncesItselfGetsTasksAndIsStillThereAfterARestart) {
  start("load-balancing", {});
  submit("job", endless());
  const Address address = add_process();
  EXPECT_TRUE(coordinator_->join(address, "x").accepted);
  EXPECT_TRUE(coordinator_->join(address, "x").accepted) << "it may not have heard the first time";
  await(address, NodeState::kAlive);
  EXPECT_EQ(status_of(address).source, NodeSource::kJoined);
  start_coordinator("load-balancing", {});
  await(address, NodeState::kAlive);
  EXPECT_THAT(coordinator_->nodes(), SizeIs(1));
}

TEST_F(MembershipTest, ANodeThatIsTakenOutStaysOutUntilItComesBackAnew) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("job", endless());
  const Address address{"node", 1};
  await(address, NodeState::kAlive);
  coordinator_->control("job", JobCommand::kPause, seconds(5));
  const NodeStatus left = coordinator_->remove_node(address, seconds(5));
  EXPECT_EQ(left.state, NodeState::kLeft);
  EXPECT_EQ(left.running, 0U);
  const std::string incarnation = nodes_[0]->worker.hello().incarnation;
  const JoinAnswer answer = coordinator_->join(address, incarnation);
  EXPECT_FALSE(answer.accepted);
  EXPECT_THAT(answer.message, HasSubstr("client node join node:1"));
  start_coordinator("load-balancing", {address});
  EXPECT_FALSE(coordinator_->join(address, incarnation).accepted) << "also after a restart";
  EXPECT_EQ(status_of(address).state, NodeState::kLeft);
  EXPECT_TRUE(coordinator_->join(address, "another").accepted);
  await(address, NodeState::kAlive);
  coordinator_->remove_node(address, seconds(5));
  EXPECT_NE(coordinator_->add_node(address).state, NodeState::kLeft);
  await(address, NodeState::kAlive);
  EXPECT_THROW(coordinator_->remove_node({"nobody", 1}, seconds(1)), Error);
}

TEST_F(MembershipTest, OnlyANodeThatAnswersIsAddedByHand) {
  start("load-balancing", {});
  const auto refusal = [&](const Address& address) -> std::string {
    try {
      static_cast<void>(coordinator_->add_node(address));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.what();
    }
    return "none";
  };
  const Address address = add_process();
  nodes_[0]->fault = Fault::kGone;
  EXPECT_EQ(refusal(address), "node:1: connection refused; start the node first");
  nodes_[0]->fault = Fault::kDead;
  EXPECT_EQ(refusal(address), "node:1: broke; give HOST:PORT of a compute node that runs");
  EXPECT_THAT(coordinator_->nodes(), SizeIs(0));
  nodes_[0]->fault = Fault::kNone;
  EXPECT_EQ(coordinator_->add_node(address).state, NodeState::kAlive) << "known to answer";
  nodes_[0]->fault = Fault::kGone;
  EXPECT_TRUE(coordinator_->join({"node", 1}, "x").accepted) << "a node knows that it is one";
}

TEST_F(MembershipTest, ASilentNodeIsSuspectThenFailedAndComesBack) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("job", endless());
  const Address address{"node", 1};
  await(address, NodeState::kAlive);
  nodes_[0]->fault = Fault::kDead;
  await(address, NodeState::kSuspect);
  const NodeStatus failed = await(address, NodeState::kFailed);
  EXPECT_GT(failed.heartbeats_missed, 0U);
  nodes_[0]->fault = Fault::kNone;
  EXPECT_EQ(await(address, NodeState::kAlive).false_suspicions, 1U);
}

TEST_F(MembershipTest, ANodeWhereNobodyListensHasFailedAtOnce) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("job", endless());
  const Address address{"node", 1};
  await(address, NodeState::kAlive);
  nodes_[0]->fault = Fault::kGone;
  EXPECT_EQ(await(address, NodeState::kFailed).trouble, "connection refused");
}

TEST_F(MembershipTest, ANodeThatLeavesHasNotFailed) {
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  specification_.rounds = 200;
  submit("job", specification_);
  nodes_[0]->worker.leave(std::chrono::milliseconds(0));
  const Address address{"node", 1};
  await(address, NodeState::kLeft);
  nodes_[0]->fault = Fault::kGone;
  EXPECT_EQ(finish("job").state, JobState::kSucceeded);
  EXPECT_EQ(status_of(address).failed, 0U);
  EXPECT_EQ(status_of(address).state, NodeState::kLeft);
}

}  // namespace
}  // namespace gradmill::coordinator
