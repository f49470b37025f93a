// What is left of jobs when the coordinator goes, and commands to jobs.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/service/service_fixture.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class DurabilityTest : public ServiceTest {
 protected:
  /// Waits until the job has finished `rounds` rounds.
  void await_rounds(const std::string& id, std::size_t rounds) {
    JobQuery query{.job = id};
    for (;;) {
      const JobStatus status = coordinator_->follow(query, seconds(10));
      ASSERT_FALSE(has_ended(status.state)) << status.message;
      if (status.finished.size() >= rounds) {
        return;
      }
      query.version = status.version;
    }
  }

  /// A job of some hundred short rounds, which last many times as long as a commit takes.
  JobSpecification many_rounds() const {
    JobSpecification many = specification_;
    many.rounds = 300;
    many.rule.epochs = 200;
    many.rule.min_loss_change = 0;
    many.server = {ml::ServerOptimizer::kMomentum, 0.5, 0.5};
    return many;
  }

  /// The weights of an undisturbed run.
  BlobRef undisturbed(const JobSpecification& job) {
    start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
    submit("undisturbed", job);
    const JobStatus status = finish("undisturbed");
    EXPECT_EQ(status.state, JobState::kSucceeded) << status.message;
    reset();
    return status.parameters;
  }

  const std::vector<Address> both_{{"node", 1}, {"node", 2}};
};

TEST_F(DurabilityTest, TheModeOfSchedulingOutlivesTheCoordinator) {
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  EXPECT_EQ(coordinator_->scheduling(), SchedulingMode::kGlobal);
  coordinator_->set_scheduling(SchedulingMode::kLocal);
  start_coordinator("load-balancing", both_);
  EXPECT_EQ(coordinator_->scheduling(), SchedulingMode::kLocal);
  submit("job", specification_);
  EXPECT_EQ(finish("job").state, JobState::kSucceeded);
  EXPECT_THAT(coordinator_->explain("job").nodes, SizeIs(2));
  EXPECT_EQ(coordinator_->explain("job").scheduling, SchedulingMode::kLocal);
  EXPECT_THROW(static_cast<void>(coordinator_->explain("none")), Error);
}

TEST_F(DurabilityTest, AJobGoesOnAfterARestartWithTheSameBits) {
  const BlobRef expected = undisturbed(many_rounds());
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  submit("job", many_rounds());
  await_rounds("job", 20);
  start_coordinator("load-balancing", both_);
  JobStatus status = coordinator_->follow({.job = "job"}, milliseconds(0));
  EXPECT_GE(status.finished.size(), 20U);
  status = finish("job");
  EXPECT_EQ(status.state, JobState::kSucceeded) << status.message;
  EXPECT_EQ(status.parameters, expected);
  EXPECT_THAT(status.finished, SizeIs(300));
  std::uint64_t tasks = 0;
  for (const NodeReport& node : status.nodes) {
    tasks += node.tasks;
  }
  EXPECT_EQ(tasks, 300U * 7U) << "tallies go on where the last durable round left them";
  EXPECT_EQ(coordinator_->get_blob(status.parameters).ref, expected);
  start_coordinator("load-balancing", both_);
  EXPECT_EQ(coordinator_->get_blob(expected).ref, expected) << "from the store";
  EXPECT_EQ(finish("job").parameters, expected);
}

TEST_F(DurabilityTest, WhatIsNotDurableIsNotFinished) {
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification slow = specification_;
  slow.rounds = 1000;
  submit("job", slow);
  await_rounds("job", 5);
  store_->full = true;
  JobStatus status;
  do {
    status = coordinator_->follow({.job = "job"}, milliseconds(10));
  } while (status.notice.empty());
  EXPECT_THAT(status.notice, HasSubstr("No space left"));
  const std::size_t rounds = status.finished.size();
  EXPECT_EQ(store_->rounds("job", 0, 1000).size(), rounds);
  JobSpecification other = slow;
  other.rounds = 99;
  store_->full = false;
  EXPECT_EQ(finish("job").state, JobState::kSucceeded);
}

TEST_F(DurabilityTest, APausedJobStaysPausedUntilItIsResumed) {
  const BlobRef expected = undisturbed(many_rounds());
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  submit("job", many_rounds());
  submit("next", specification_);
  await_rounds("job", 3);
  const JobControl paused = coordinator_->control("job", JobCommand::kPause, seconds(5));
  EXPECT_EQ(paused.state, JobState::kPaused);
  EXPECT_EQ(paused.asked, "");
  EXPECT_EQ(finish("next").state, JobState::kSucceeded) << "others run meanwhile";
  start_coordinator("load-balancing", both_);
  EXPECT_EQ(coordinator_->job("job").status.state, JobState::kPaused);
  EXPECT_EQ(coordinator_->control("job", JobCommand::kResume, seconds(5)).asked, "");
  const JobStatus status = finish("job");
  EXPECT_EQ(status.state, JobState::kSucceeded) << status.message;
  EXPECT_EQ(status.parameters, expected);
}

TEST_F(DurabilityTest, AJobWhoseDataIsGoneFailsAndSaysSo) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("job", many_rounds());
  await_rounds("job", 1);
  coordinator_.reset();
  store_->lose_blobs();
  start_coordinator("load-balancing", {{"node", 1}});
  EXPECT_EQ(finish("job").reason, "data_lost");
}

TEST_F(DurabilityTest, OneLostShardEndsItsJobAndNothingElse) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("paused", many_rounds());
  static_cast<void>(coordinator_->control("paused", JobCommand::kPause, seconds(5)));
  JobSpecification other = many_rounds();
  other.shards.erase(other.shards.begin());
  other.validation = {other.shards.front()};
  submit("other", other);
  await_rounds("other", 1);
  coordinator_.reset();
  store_->lose_blob(specification_.shards.front().digest);
  start_coordinator("load-balancing", {{"node", 1}});
  EXPECT_EQ(finish("paused").reason, "data_lost");
  EXPECT_EQ(finish("other").state, JobState::kSucceeded);
}

TEST_F(DurabilityTest, AnIdThatIsUsedAgainIsAnotherJob) {
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification first = specification_;
  first.validation = {first.shards[1]};
  JobSpecification second = specification_;
  second.validation = {second.shards[2], second.shards[3]};
  submit("fresh", second);
  const JobStatus expected = finish("fresh");
  submit("id", first);
  static_cast<void>(finish("id"));
  coordinator_->remove("id");
  submit("id", second);
  const JobStatus status = finish("id");
  EXPECT_EQ(status.parameters, expected.parameters);
  for (std::size_t round = 0; round < status.finished.size(); ++round) {
    EXPECT_EQ(status.finished[round].validation_error, expected.finished[round].validation_error);
  }
}

TEST_F(DurabilityTest, ListsShowsLogsAndDeletesJobs) {
  start("round-robin", {{0, Fault::kNone}, {0, Fault::kReturnsNonsense}});
  coordinator_->add_node({"node", 2});  // Alive once this returns, so that it gets a task.
  submit("first", specification_);
  static_cast<void>(finish("first"));
  submit("second", many_rounds());
  const std::vector<JobSummary> all = coordinator_->jobs(0);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].job, "second");
  EXPECT_EQ(all[1].round, 3U);
  EXPECT_TRUE(all[1].validation_error.has_value());
  EXPECT_GE(all[1].ended_ms, all[1].submitted_ms);
  EXPECT_THAT(coordinator_->jobs(1), SizeIs(1));
  EXPECT_EQ(coordinator_->job("first").specification.rounds, 3U);
  const JobLog log = coordinator_->logs("first", 0, seconds(1));
  EXPECT_TRUE(log.ended);
  std::vector<std::string> events;
  for (const JobEvent& event : log.events) {
    events.push_back(event.event);
    EXPECT_GT(event.time_ms, 0);
    if (event.event == "task_failed") {
      EXPECT_EQ(event.reason, "invalid_result");
      EXPECT_EQ(event.node, "node:2");
      EXPECT_TRUE(event.shard && event.round && event.attempt);
    }
  }
  EXPECT_EQ(events.front(), "submitted");
  EXPECT_EQ(events.back(), "succeeded");
  EXPECT_THAT(events, Contains("task_failed"));
  EXPECT_EQ(std::count(events.begin(), events.end(), "round_finished"), 3);
  EXPECT_THROW(coordinator_->remove("second"), Error) << "it runs";
  coordinator_->remove("first");
  EXPECT_THROW(static_cast<void>(coordinator_->job("first")), Error);
  EXPECT_THROW(coordinator_->remove("first"), Error);
}

TEST_F(DurabilityTest, AFullDiskHasAWayOut) {
  start("load-balancing", {{0, Fault::kNone}});
  for (const char* const id : {"a", "b"}) {
    submit(id, specification_);
    static_cast<void>(finish(id));
  }
  submit("job", many_rounds());
  await_rounds("job", 1);
  store_->full = true;
  store_->without_reserve = true;
  while (coordinator_->job("job").status.notice.empty()) {
    static_cast<void>(coordinator_->follow({.job = "job"}, milliseconds(10)));
  }
  EXPECT_THAT(coordinator_->jobs(1)[0].message, HasSubstr("No space left on device"));
  EXPECT_EQ(coordinator_->job("a").status.notice, "") << "it has ended";
  const auto failure = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code() == ErrorCode::kFailed ? std::string(error.what()) : "";
    }
    return std::string();
  };
  EXPECT_THAT(failure([&] { coordinator_->remove("a"); }), HasSubstr("No space left"));
  EXPECT_THAT(failure([&] {
                static_cast<void>(coordinator_->collect_garbage(false, Retention{.jobs = 0}));
              }),
              HasSubstr("No space left"));
  EXPECT_THAT(failure([&] { static_cast<void>(coordinator_->submit("new", specification_)); }),
              HasSubstr("No space left"));
  EXPECT_THAT(coordinator_->jobs(0), SizeIs(3)) << "what is not durable has not gone";
  store_->without_reserve = false;
  coordinator_->remove("a");
  EXPECT_THAT(coordinator_->collect_garbage(false, Retention{.jobs = 0}).jobs, ElementsAre("b"));
  EXPECT_THAT(coordinator_->jobs(0), SizeIs(1));
  store_->full = false;
  static_cast<void>(coordinator_->control("job", JobCommand::kCancel, seconds(5)));
  EXPECT_EQ(finish("job").state, JobState::kCancelled);
}

TEST_F(DurabilityTest, RoundsOfAnEndedJobComeFromTheStoreAfterARestart) {
  start("load-balancing", {{0, Fault::kNone}});
  submit("job", specification_);
  const JobStatus before = finish("job");
  start_coordinator("load-balancing", {{"node", 1}});
  EXPECT_EQ(coordinator_->jobs(1)[0].validation_error, before.finished.back().validation_error);
  const JobStatus after = finish("job");
  ASSERT_EQ(after.finished.size(), before.finished.size());
  EXPECT_THAT(after.finished[0].tasks, SizeIs(0));
  EXPECT_EQ(after.finished[1].validation_error, before.finished[1].validation_error);
  EXPECT_THAT(
      coordinator_->follow({.job = "job", .rounds_known = 1, .with_tasks = true}, milliseconds(0))
          .finished,
      SizeIs(before.finished.size() - 1));
}

TEST_F(DurabilityTest, GarbageIsWhatTheRuleLetsGo) {
  start("load-balancing", {{0, Fault::kNone}});
  for (const char* const id : {"a", "b", "c"}) {
    submit(id, specification_);
    static_cast<void>(finish(id));
  }
  const Garbage dry = coordinator_->collect_garbage(true, Retention{.jobs = 1});
  EXPECT_THAT(dry.jobs, ElementsAre("a", "b"));
  EXPECT_THAT(coordinator_->jobs(0), SizeIs(3));
  EXPECT_TRUE(coordinator_->collect_garbage(false, Retention{.jobs = 0, .age = seconds(3600)})
                  .jobs.empty());
  EXPECT_THAT(coordinator_->collect_garbage(false, Retention{.jobs = 1}).jobs,
              ElementsAre("a", "b"));
  EXPECT_THAT(coordinator_->jobs(0), SizeIs(1));
}

}  // namespace
}  // namespace gradmill::coordinator
