// The coordinator with real threads and real workers, but without sockets.

#include <atomic>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

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
      answer.delta = {sha256(*answer.delta_bytes), answer.delta_bytes->size()};
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

TEST_F(ServiceTest, TheSameIdIsTheSameJobOrAnError) {
  start("random", {{0, Fault::kNone}});
  submit("job", specification_);
  EXPECT_TRUE(coordinator_->submit("job", specification_).empty());
  JobSpecification other = specification_;
  other.rounds = 4;
  EXPECT_THROW(static_cast<void>(coordinator_->submit("job", other)), Error);
  EXPECT_THROW(static_cast<void>(coordinator_->submit("bad id", specification_)), Error);
  other.rule.eta = -1;
  EXPECT_THROW(static_cast<void>(coordinator_->submit("new", other)), Error);
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
