// The coordinator with real threads and real workers, but without sockets.

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "base/checksum.h"
#include "base/error.h"
#include "compute_node/worker/worker.h"
#include "coordinator/service/coordinator.h"
#include "formats/shard_blob.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Fence kFence{"test", 1};

/// What a node does wrong.
enum class Fault { kNone, kDead, kBreaksEveryThirdCall, kReturnsNonsense, kOtherKernel };

/// A node in this process.
struct InProcessNode {
  InProcessNode(double load, Fault wrong, const std::string& name)
      : worker({.load_delay = milliseconds(1)}, node::LoadSimulation(load, 1, name)),
        fault(wrong) {}
  node::Worker worker;
  Fault fault;
  std::atomic<unsigned> calls{0};
};

/// Calls the worker without a wire between.
class InProcessLink final : public NodeLink {
 public:
  explicit InProcessLink(InProcessNode& node) : node_(node) {}

  Heartbeat heartbeat(std::span<const std::string> live) override {
    check();
    static_cast<void>(node_.worker.heartbeat(kFence, {live.begin(), live.end()}));
    NodeHello hello = node_.worker.hello();
    if (node_.fault == Fault::kOtherKernel) {
      hello.kernel_id = "another";
    }
    return {hello, node_.worker.leaving()};
  }
  TaskAnswer run_task(const TaskOffer& offer, bool inline_weights, milliseconds wait) override {
    check();
    node::TaskRequest request;
    request.task = offer.id;
    request.job_digest = offer.job_digest;
    request.rule = offer.job->rule;
    request.rounds = offer.job->rounds;
    request.weights = offer.weights.ref;
    request.shard = offer.shard;
    request.load_rule = offer.load_rule;
    if (inline_weights) {
      request.weights_blob = offer.weights;
    }
    return spoiled(node_.worker.run(kFence, std::move(request), wait));
  }
  TaskAnswer poll_task(const TaskId& task, milliseconds wait) override {
    check();
    return spoiled(node_.worker.poll(kFence, task, wait));
  }
  void cancel_task(const TaskId& task) override { node_.worker.cancel(kFence, task); }
  void put_blob(const Blob& blob) override { node_.worker.put_blob(kFence, blob); }
  Blob get_blob(const BlobRef& blob) override { return node_.worker.get_blob(kFence, blob); }
  void interrupt() override { interrupted_ = true; }

 private:
  void check() {
    const unsigned call = ++node_.calls;
    if (interrupted_ || node_.fault == Fault::kDead ||
        (node_.fault == Fault::kBreaksEveryThirdCall && call % 3 == 0)) {
      throw Error(ErrorCode::kUnreachable, "broke");
    }
  }
  [[nodiscard]] TaskAnswer spoiled(TaskAnswer answer) const {
    if (node_.fault == Fault::kReturnsNonsense && answer.state == TaskState::kDone) {
      answer.delta_bytes = std::make_shared<const std::string>(answer.delta.bytes, '\xff');
      answer.delta_checksum = checksum(*answer.delta_bytes);
    }
    return answer;
  }
  InProcessNode& node_;
  std::atomic<bool> interrupted_{false};
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    spdlog::set_level(spdlog::level::off);
    specification_.rule.topology.units = {3, 4, 3};
    specification_.rule.eta = 0.001;
    specification_.rule.epochs = 4;
    specification_.rounds = 3;
    for (unsigned n = 0; n < 7; ++n) {
      blobs_.push_back(shard(n));
      specification_.shards.push_back(blobs_.back().ref);
    }
    specification_.validation = {blobs_.front().ref};
  }

  static Blob shard(unsigned seed) {
    ml::Shard shard;
    shard.rows = 40 + seed;
    shard.features = 3;
    std::vector<std::uint8_t> values;
    for (unsigned row = 0; row < shard.rows; ++row) {
      for (unsigned column = 0; column < 3; ++column) {
        values.push_back(static_cast<std::uint8_t>((row * 5 + column * 3 + seed) % 11));
      }
      shard.labels.push_back(static_cast<std::uint16_t>((row + seed) % 3));
    }
    shard.classes = 3;
    shard.values = values;
    return make_blob(formats::encode_shard(shard));
  }

  void start(const std::string& policy, const std::vector<std::pair<double, Fault>>& nodes) {
    std::vector<Address> addresses;
    for (const auto& [load, fault] : nodes) {
      const auto number = static_cast<std::uint16_t>(nodes_.size() + 1);
      nodes_.push_back(
          std::make_unique<InProcessNode>(load, fault, "node:" + std::to_string(number)));
      addresses.push_back({"node", number});
    }
    CoordinatorOptions options;
    options.scheduler.capacity_timeout = seconds(1);
    coordinator_ = std::make_unique<Coordinator>(
        options, make_policy(policy, 1), addresses, [this](const Address& address) {
          return std::make_unique<InProcessLink>(*nodes_.at(address.port - 1U));
        });
    coordinator_->start();
  }

  void submit(const std::string& id, const JobSpecification& specification) {
    for (const Digest& digest : coordinator_->submit(id, specification)) {
      for (const Blob& blob : blobs_) {
        if (blob.ref.digest == digest) {
          coordinator_->put_blob(blob);
        }
      }
    }
    ASSERT_TRUE(coordinator_->submit(id, specification).empty());
  }

  JobStatus finish(const std::string& id) {
    JobQuery query{.job = id};
    for (int asked = 0; asked < 600; ++asked) {
      const JobStatus status = coordinator_->follow(query, milliseconds(100));
      if (has_ended(status.state)) {
        return status;
      }
      query.version = status.version;
    }
    ADD_FAILURE() << "job " << id << " does not end";
    return {};
  }

  JobSpecification specification_;
  std::vector<Blob> blobs_;
  std::vector<std::unique_ptr<InProcessNode>> nodes_;
  std::unique_ptr<Coordinator> coordinator_;  // ends before the nodes do
};

TEST_F(ServiceTest, TheSameWeightsWhateverTheNodesDo) {
  std::optional<BlobRef> expected;
  const std::vector<std::vector<std::pair<double, Fault>>> clusters = {
      {{0, Fault::kNone}},
      {{0, Fault::kNone}, {0.5, Fault::kNone}, {0, Fault::kDead}},
      {{0.2, Fault::kNone}, {0, Fault::kBreaksEveryThirdCall}},
      {{0, Fault::kReturnsNonsense}, {0, Fault::kNone}}};
  for (const auto& cluster : clusters) {
    for (const char* const policy : {"random", "load-balancing", "round-robin"}) {
      coordinator_.reset();
      nodes_.clear();
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
    coordinator_.reset();
    nodes_.clear();
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
  submit("all", specification_);
  const JobStatus all = finish("all");
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
  submit("all", specification_);
  const JobStatus all = finish("all");
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
    coordinator_.reset();
    nodes_.clear();
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

TEST_F(ServiceTest, JobsWaitAreCancelledAndStopWithTheCoordinator) {
  start("load-balancing", {{0, Fault::kNone}});
  JobSpecification endless = specification_;
  endless.rule.epochs = kEpochsMax;
  endless.rule.min_loss_change = 0;
  submit("first", endless);
  submit("second", endless);
  EXPECT_EQ(coordinator_->follow({.job = "second"}, milliseconds(0)).ahead, 1U);
  EXPECT_EQ(coordinator_->cancel("first"), JobState::kCancelled);
  EXPECT_EQ(finish("first").reason, "cancelled");
  coordinator_->stop();
  EXPECT_EQ(finish("second").reason, "stopped");
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
    static_cast<void>(coordinator_->cancel("job"));
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
  EXPECT_THROW(static_cast<void>(coordinator_->cancel("nobody")), Error);
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
