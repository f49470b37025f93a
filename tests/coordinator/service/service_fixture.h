// A coordinator with real threads and real workers, but without sockets and files.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "base/checksum.h"
#include "base/error.h"
#include "compute_node/worker/worker.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/memory_store.h"
#include "formats/shard_blob.h"

namespace gradmill::coordinator {

/// What a node does wrong.
enum class Fault {
  kNone,
  kDead,
  kGone,
  kBreaksEveryThirdCall,
  kReturnsNonsense,
  kReturnsInfinity,
  kReturnsTooMuch,
  kFlipsABit,
  kReturnsTheRoundBefore,
  kOtherKernel,
};

/// A node in this process.
struct InProcessNode {
  InProcessNode(double load, Fault wrong, const std::string& name)
      : worker({.load_delay = std::chrono::milliseconds(1)}, node::LoadSimulation(load, 1, name)),
        fault(wrong) {}
  node::Worker worker;
  std::atomic<Fault> fault;
  std::atomic<unsigned> calls{0};
};

/// Calls the worker without a wire between.
class InProcessLink final : public NodeLink {
 public:
  InProcessLink(InProcessNode& node, Fence fence) : node_(node), fence_(std::move(fence)) {}

  NodeBeat heartbeat(std::span<const std::string> live) override {
    if (node_.fault == Fault::kGone) {
      throw ConnectionRefused("connection refused");
    }
    check();
    static_cast<void>(node_.worker.heartbeat(fence_, {live.begin(), live.end()}));
    NodeHello hello = node_.worker.hello();
    if (node_.fault == Fault::kOtherKernel) {
      hello.kernel_id = "another";
    }
    return {.hello = hello, .leaving = node_.worker.leaving()};
  }
  TaskAnswer run_task(const TaskOffer& offer,
                      const Enclosure& enclosed,
                      std::chrono::milliseconds wait) override {
    check();
    node::TaskRequest request;
    request.task = offer.id;
    request.job_digest = offer.job_digest;
    if (offer.rows) {
      node::RowBatch& batch = request.batch.emplace();
      batch.first_row = offer.rows->first;
      batch.values = std::make_shared<const std::string>(enclosed.rows->values);
      batch.rows = *enclosed.rows;
      batch.rows.values = *batch.values;
    } else {
      request.rule = offer.job->rule;
      request.rounds = offer.job->rounds;
    }
    request.weights = offer.weights.ref;
    request.shard = offer.shard;
    request.load_rule = offer.load_rule;
    if (enclosed.weights) {
      request.weights_blob = offer.weights;
    }
    return spoiled(node_.worker.run(fence_, std::move(request), wait));
  }
  TaskAnswer poll_task(const TaskId& task, std::chrono::milliseconds wait) override {
    check();
    return spoiled(node_.worker.poll(fence_, task, wait));
  }
  void cancel_task(const TaskId& task) override { node_.worker.cancel(fence_, task); }
  void put_blob(const Blob& blob) override { node_.worker.put_blob(fence_, blob); }
  std::optional<RowPredictions> predict(const Digest& /*model*/,
                                        std::span<const RawRows> /*parts*/,
                                        std::chrono::milliseconds /*deadline*/) override {
    return {};
  }
  void put_model(const Blob& /*file*/) override {}
  Blob get_blob(const BlobRef& blob) override { return node_.worker.get_blob(fence_, blob); }
  std::optional<FaultState> set_faults(const FaultSettings& /*faults*/) override { return {}; }
  std::optional<FaultState> faults() override { return {}; }
  void interrupt() override { interrupted_ = true; }
  [[nodiscard]] LinkBytes bytes() const override { return {}; }

 private:
  void check() {
    const unsigned call = ++node_.calls;
    if (interrupted_ || node_.fault == Fault::kDead || node_.fault == Fault::kGone ||
        (node_.fault == Fault::kBreaksEveryThirdCall && call % 3 == 0)) {
      throw Error(ErrorCode::kUnreachable, "broke");
    }
  }
  [[nodiscard]] TaskAnswer spoiled(TaskAnswer answer) const {
    if (answer.state != TaskState::kDone) {
      return answer;
    }
    std::string delta = *answer.delta_bytes;
    switch (node_.fault) {
      case Fault::kReturnsNonsense:
        delta.assign(delta.size(), '\xff');
        break;
      case Fault::kReturnsInfinity:
        delta.replace(0, 4, std::string_view("\0\0\x80\x7f", 4));
        break;
      case Fault::kReturnsTooMuch:
        delta += std::string(4, '\0');
        break;
      case Fault::kFlipsABit:
        delta.front() = static_cast<char>(delta.front() ^ 1);
        answer.delta_bytes = std::make_shared<const std::string>(std::move(delta));
        return answer;
      case Fault::kReturnsTheRoundBefore:
        --answer.task.round;
        return answer;
      default:
        return answer;
    }
    answer.delta.bytes = delta.size();
    answer.delta_checksum = checksum(delta);
    answer.delta_bytes = std::make_shared<const std::string>(std::move(delta));
    return answer;
  }
  InProcessNode& node_;
  const Fence fence_;
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
    start_coordinator(policy, addresses);
  }

  /// Starts a coordinator on what the one before left.
  void start_coordinator(const std::string& policy, const std::vector<Address>& addresses) {
    coordinator_.reset();
    StoredState state = store_->load();
    const Fence fence{state.coordinator, state.epoch};
    CoordinatorOptions options = options_;
    options.scheduler.capacity_timeout = std::chrono::seconds(1);
    options.scheduler.detection.suspect_after = std::chrono::milliseconds(300);
    options.scheduler.detection.failed_after = std::chrono::milliseconds(500);
    options.heartbeat_interval = std::chrono::milliseconds(50);
    coordinator_ = std::make_unique<Coordinator>(
        options,
        make_policy(policy, 1),
        addresses,
        [this, fence](const Address& address) {
          return std::make_unique<InProcessLink>(*nodes_.at(address.port - 1U), fence);
        },
        *store_,
        std::move(state));
    coordinator_->start();
  }

  /// Ends everything, for another start().
  void reset() {
    coordinator_.reset();
    nodes_.clear();
    store_ = std::make_unique<MemoryStore>();
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
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < end) {
      const JobStatus status = coordinator_->follow(query, std::chrono::milliseconds(100));
      if (has_ended(status.state)) {
        return status;
      }
      query.version = status.version;
    }
    ADD_FAILURE() << "job " << id << " does not end";
    return {};
  }

  CoordinatorOptions options_;  // but for its times
  JobSpecification specification_;
  std::vector<Blob> blobs_;
  std::vector<std::unique_ptr<InProcessNode>> nodes_;
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>();
  std::unique_ptr<Coordinator> coordinator_;  // ends before the nodes do
};

}  // namespace gradmill::coordinator
