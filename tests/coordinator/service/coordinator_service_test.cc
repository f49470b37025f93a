// The coordinator with real threads and real workers, but without sockets.

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/event_log.h"
#include "coordinator/service/service_fixture.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ServiceTest, TheSameWeightsWhateverTheNodesDo) {
  std::optional<BlobRef> expected;
  const std::vector<std::vector<std::pair<double, Fault>>> clusters = {
      {{0, Fault::kNone}},
      {{0, Fault::kNone}, {0.5, Fault::kNone}, {0, Fault::kDead}},
      {{0.2, Fault::kNone}, {0, Fault::kBreaksEveryThirdCall}},
      {{0, Fault::kReturnsNonsense}, {0, Fault::kNone}}};
  for (const auto& cluster : clusters) {
    for (const char* const policy : {"random", "load-balancing", "round-robin"}) {
      reset();
      start(policy, cluster);
      submit("job", specification_);
      const JobStatus status = finish("job");
      ASSERT_EQ(status.state, JobState::kSucceeded) << status.message;
      EXPECT_EQ(status.finished.size(), 3U);
      std::uint64_t tasks = 0;
      for (const NodeReport& node : status.nodes) {
        tasks += node.tasks;
      }
      EXPECT_EQ(tasks, 21U);
      expected = expected.value_or(status.parameters);
      EXPECT_EQ(status.parameters, *expected) << policy;
      EXPECT_EQ(coordinator_->get_blob(status.parameters).ref, status.parameters);
    }
  }
}

TEST_F(ServiceTest, AJobAndTheListAgreeOnTheLastFinishedRound) {
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification endless = specification_;
  endless.rule.epochs = kEpochsMax;
  endless.rule.min_loss_change = 0;
  submit("running", endless);
  EXPECT_EQ(coordinator_->job("running").status.round, 0U);
  EXPECT_EQ(coordinator_->jobs(1)[0].round, 0U);
  static_cast<void>(coordinator_->control("running", JobCommand::kCancel, seconds(5)));
  submit("ended", specification_);
  ASSERT_EQ(finish("ended").state, JobState::kSucceeded);
  EXPECT_EQ(coordinator_->job("ended").status.round, 3U);
  EXPECT_EQ(coordinator_->jobs(1)[0].round, 3U);
}

TEST_F(ServiceTest, TheLogTellsOfFewRoundsAndTheJobsLogOfAll) {
  start_log("coordinator");
  testing::internal::CaptureStderr();
  start("load-balancing", {{0, Fault::kNone}});
  specification_.rounds = 20;
  submit("job", specification_);
  ASSERT_EQ(finish("job").state, JobState::kSucceeded);
  EXPECT_TRUE(coordinator_->logs("job", 0, seconds(1)).ended);  // All events are durable.
  coordinator_.reset();
  const std::string log = testing::internal::GetCapturedStderr();
  std::size_t rounds = 0;
  bool follows_a_round = false;  // What happens between two rounds is a reason to tell the second.
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const bool is_round = line.find(" round_finished ") != std::string::npos;
    EXPECT_FALSE(is_round && follows_a_round) << log;
    follows_a_round = is_round;
    rounds += is_round ? 1 : 0;
  }
  EXPECT_GE(rounds, 1U) << log;
  EXPECT_LT(rounds, 5U) << log;
  EXPECT_NE(log.find(" succeeded "), std::string::npos) << log;
  const std::vector<JobEvent> events = store_->events("job", 0, 100);
  EXPECT_EQ(std::count_if(events.begin(),
                          events.end(),
                          [](const JobEvent& one) { return one.event == "round_finished"; }),
            20);
}

TEST_F(ServiceTest, WrongResultsAreCountedAndNeverUsedAndTheirNodeMayComeBack) {
  start("round-robin", {{0, Fault::kNone}});
  submit("expected", specification_);
  const BlobRef expected = finish("expected").parameters;
  for (const Fault fault : {Fault::kReturnsNonsense,
                            Fault::kReturnsInfinity,
                            Fault::kReturnsTooMuch,
                            Fault::kFlipsABit,
                            Fault::kReturnsTheRoundBefore}) {
    SCOPED_TRACE(static_cast<int>(fault));
    reset();
    start("round-robin", {{0, fault}, {0, Fault::kNone}});
    submit("job", specification_);
    const JobStatus status = finish("job");
    ASSERT_EQ(status.state, JobState::kSucceeded) << status.message;
    EXPECT_EQ(status.parameters, expected);
    const auto end = std::chrono::steady_clock::now() + seconds(60);
    // The other node may be through with a job before this one is known to be alive.
    for (int more = 0;
         coordinator_->nodes()[0].failed == 0 && std::chrono::steady_clock::now() < end;
         ++more) {
      const std::string job = "more-" + std::to_string(more);
      submit(job, specification_);
      EXPECT_EQ(finish(job).parameters, expected);
    }
    const NodeStatus wrong = coordinator_->nodes()[0];
    EXPECT_EQ(wrong.tasks, 0U);
    EXPECT_GT(wrong.failed, 0U);
    nodes_[0]->fault = Fault::kNone;
    for (int again = 0;
         coordinator_->nodes()[0].tasks == 0 && std::chrono::steady_clock::now() < end;
         ++again) {
      const std::string job = "again-" + std::to_string(again);
      submit(job, specification_);
      EXPECT_EQ(finish(job).parameters, expected);
    }
    EXPECT_GT(coordinator_->nodes()[0].tasks, 0U);
  }
}

TEST_F(ServiceTest, NonsenseAloneFailsTheJob) {
  start("round-robin", {{0, Fault::kReturnsNonsense}});
  submit("job", specification_);
  const JobStatus status = finish("job");
  EXPECT_EQ(status.state, JobState::kFailed);
  EXPECT_EQ(status.reason, "shard_failed") << status.message;
  EXPECT_NE(status.message.find("node:1"), std::string::npos) << status.message;
}

TEST_F(ServiceTest, TheServersOptimiserGivesTheSameWeightsWhateverTheNodesDo) {
  specification_.server = {ml::ServerOptimizer::kAdam, 0.1, 0.9};
  specification_.rounds = 12;
  std::optional<BlobRef> expected;
  for (const Fault fault : {Fault::kNone, Fault::kDead, Fault::kBreaksEveryThirdCall}) {
    reset();
    start("load-balancing", {{0, fault}, {0, Fault::kNone}});
    for (const char* const id : {"job", "again"}) {
      submit(id, specification_);
      const JobStatus status = finish(id);
      ASSERT_EQ(status.state, JobState::kSucceeded) << status.message;
      expected = expected.value_or(status.parameters);
      EXPECT_EQ(status.parameters, *expected);
    }
  }
}

TEST_F(ServiceTest, ValidatesEveryNthAndTheLastRound) {
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  specification_.rounds = 5;
  submit("every", specification_);
  const JobStatus all = finish("every");
  specification_.validate_every = 2;
  submit("some", specification_);
  const JobStatus some = finish("some");
  ASSERT_EQ(some.state, JobState::kSucceeded) << some.message;
  EXPECT_EQ(some.parameters, all.parameters);
  ASSERT_EQ(some.finished.size(), 5U);
  for (const RoundReport& round : some.finished) {
    const bool is_validated = round.round % 2 == 0 || round.round == 5;
    EXPECT_EQ(round.validation_error,
              is_validated ? all.finished[round.round - 1].validation_error : std::nullopt);
  }
}

TEST_F(ServiceTest, EarlyStopReturnsTheBestRound) {
  start("load-balancing", {{0, Fault::kNone}, {0, Fault::kNone}});
  specification_.rule.eta = 0.02;  // Far too large: the error rises and falls.
  specification_.rounds = 60;
  submit("every", specification_);
  const JobStatus all = finish("every");
  ASSERT_EQ(all.state, JobState::kSucceeded) << all.message;
  EXPECT_EQ(all.best_round, 0U);
  std::size_t best = 0;
  std::size_t last = 0;
  while (last + 1 < all.finished.size() && last - best < 3) {
    ++last;
    best = all.finished[last].validation_error < all.finished[best].validation_error ? last : best;
  }
  specification_.early_stop = 3;
  submit("early", specification_);
  const JobStatus early = finish("early");
  ASSERT_EQ(early.state, JobState::kSucceeded) << early.message;
  EXPECT_EQ(early.finished.size(), last + 1);
  EXPECT_EQ(early.best_round, best + 1);
  EXPECT_EQ(coordinator_->get_blob(early.parameters).ref, early.parameters);
  specification_.early_stop = 0;
  specification_.rounds = early.best_round;
  submit("best", specification_);
  EXPECT_EQ(finish("best").parameters, early.parameters);
}

TEST_F(ServiceTest, ADivergingJobKeepsItsLastGoodWeights) {
  for (const bool two : {false, true}) {
    reset();
    std::vector<std::pair<double, Fault>> nodes(two ? 2 : 1, {0, Fault::kNone});
    start("load-balancing", nodes);
    JobSpecification good = specification_;
    good.rule.eta = 1e30;
    good.rule.epochs = 1;
    good.rounds = 1;
    submit("good", good);
    const JobStatus before = finish("good");
    ASSERT_EQ(before.state, JobState::kSucceeded) << before.message;
    good.rounds = 9;
    submit("job", good);
    const JobStatus status = finish("job");
    EXPECT_EQ(status.state, JobState::kFailed);
    EXPECT_EQ(status.reason, "diverged") << status.message;
    EXPECT_NE(status.message.find("smaller eta"), std::string::npos) << status.message;
    EXPECT_EQ(coordinator_->get_blob(status.parameters).ref, status.parameters);
    for (const NodeReport& node : status.nodes) {
      EXPECT_EQ(node.failed, 0U);
    }
  }
}

TEST_F(ServiceTest, WithoutNodesTheJobFailsAfterTheTimeout) {
  start("random", {{0, Fault::kDead}});
  submit("job", specification_);
  const JobStatus status = finish("job");
  EXPECT_EQ(status.reason, "no_capacity") << status.message;
  EXPECT_NE(status.message.find("node:1 broke"), std::string::npos) << status.message;
}

TEST_F(ServiceTest, ANodeWithAnotherKernelGetsNoTask) {
  start("random", {{0, Fault::kOtherKernel}});
  submit("job", specification_);
  const JobStatus status = finish("job");
  EXPECT_EQ(status.reason, "no_capacity") << status.message;
  EXPECT_NE(status.message.find("its kernel 'another' may give other bits"), std::string::npos)
      << status.message;
}

TEST_F(ServiceTest, JobsWaitAndAreCancelled) {
  options_.scheduler.running_jobs_max = 1;
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification endless = specification_;
  endless.rule.epochs = kEpochsMax;
  endless.rule.min_loss_change = 0;
  submit("first", endless);
  submit("second", endless);
  EXPECT_EQ(coordinator_->follow({.job = "second"}, milliseconds(0)).ahead, 1U);
  EXPECT_EQ(coordinator_->control("first", JobCommand::kCancel, seconds(5)).state,
            JobState::kCancelled);
  EXPECT_EQ(finish("first").reason, "cancelled");
  EXPECT_EQ(coordinator_->control("second", JobCommand::kCancel, seconds(5)).state,
            JobState::kCancelled);
}

TEST_F(ServiceTest, RefusesJobsBeyondItsLimits) {
  options_.jobs_max = 1;
  options_.blob_bytes_max = 10'000;
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification endless = specification_;
  endless.rule.epochs = kEpochsMax;
  endless.rule.min_loss_change = 0;
  submit("first", endless);
  const auto code_of = [&](const JobSpecification& specification) {
    try {
      static_cast<void>(coordinator_->submit("second", specification));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kFailed;
  };
  EXPECT_EQ(code_of(specification_), ErrorCode::kUnavailable);
  EXPECT_TRUE(coordinator_->submit("first", endless).empty()) << "it is there already";
  JobSpecification large = specification_;
  large.shards.push_back({make_blob("large").ref.digest, 10'000});
  EXPECT_EQ(code_of(large), ErrorCode::kInvalidInput);
  large.shards.push_back({make_blob("huge").ref.digest, UINT64_MAX});
  EXPECT_EQ(code_of(large), ErrorCode::kInvalidInput);
  static_cast<void>(coordinator_->control("first", JobCommand::kCancel, seconds(5)));
  submit("second", specification_);
  EXPECT_EQ(finish("second").reason, "succeeded");
}

TEST_F(ServiceTest, FollowersGatherNewsButHearOfTheEndAtOnce) {
  using Clock = std::chrono::steady_clock;
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification endless = specification_;
  endless.rule.epochs = kEpochsMax;
  endless.rule.min_loss_change = 0;
  submit("job", endless);
  JobQuery query{.job = "job", .gather = seconds(60)};
  query.version = coordinator_->follow(query, seconds(1)).version;
  query.gather = milliseconds(50);
  const Clock::time_point start = Clock::now();
  static_cast<void>(coordinator_->follow(query, milliseconds(100)));
  EXPECT_GE(Clock::now() - start, milliseconds(50));
  query.gather = seconds(60);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(20));
    static_cast<void>(coordinator_->control("job", JobCommand::kCancel, seconds(5)));
  });
  EXPECT_TRUE(has_ended(coordinator_->follow(query, seconds(60)).state));
  EXPECT_LT(Clock::now() - start, seconds(30));
  canceller.join();
}

TEST_F(ServiceTest, TheSameIdIsTheSameJobOrAnError) {
  start("random", {{0, Fault::kNone}});
  submit("job", specification_);
  EXPECT_TRUE(coordinator_->submit("job", specification_).empty());
  JobSpecification other = specification_;
  other.rounds = 4;
  EXPECT_THROW(static_cast<void>(coordinator_->submit("job", other)), Error);
  EXPECT_THROW(static_cast<void>(coordinator_->submit("bad id", specification_)), Error);
  const auto refuses = [&](const auto& spoil) {
    JobSpecification wrong = specification_;
    spoil(wrong);
    EXPECT_THROW(static_cast<void>(coordinator_->submit("new", wrong)), Error);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refuses([](JobSpecification& job) { job.rule.eta = -1; });
  refuses([](JobSpecification& job) { job.rule.epochs = 0; });
  refuses([](JobSpecification& job) { job.rule.steps_per_round = 1; });
  refuses([](JobSpecification& job) { job.rule.batch_size = 16; });
  refuses([](JobSpecification& job) { job.rule.optimizer = ml::Optimizer::kSgd; });
  refuses([](JobSpecification& job) { job.rule.momentum = 1; });
  refuses([&](JobSpecification& job) { job.rule.momentum = nan; });
  refuses([](JobSpecification& job) { job.rule.weight_decay = -1; });
  refuses([&](JobSpecification& job) { job.rule.label_smoothing = nan; });
  refuses([](JobSpecification& job) { job.rule.standardization.mean = {0, 0, 0}; });
  refuses([](JobSpecification& job) { job.rule.standardization = {{0, 0, 0}, {1, 1, 0}}; });
  refuses([](JobSpecification& job) { job.server.eta = 0; });
  refuses([](JobSpecification& job) { job.server.momentum = 0.5; });
  refuses([](JobSpecification& job) { job.server = {ml::ServerOptimizer::kMomentum, 1, 1}; });
  EXPECT_THROW(static_cast<void>(coordinator_->follow({.job = "nobody"}, milliseconds(0))), Error);
  EXPECT_THROW(static_cast<void>(coordinator_->control("nobody", JobCommand::kCancel, seconds(1))),
               Error);
}

TEST_F(ServiceTest, ShardsThatDoNotSuitAreRefusedByNumber) {
  start("random", {{0, Fault::kNone}});
  for (const Blob& blob : blobs_) {
    coordinator_->put_blob(blob);
  }
  JobSpecification wrong = specification_;
  wrong.rule.topology.units = {4, 4, 3};
  try {
    static_cast<void>(coordinator_->submit("job", wrong));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("shard 1 has 3 features"), std::string::npos);
  }
}

}  // namespace
}  // namespace gradmill::coordinator
