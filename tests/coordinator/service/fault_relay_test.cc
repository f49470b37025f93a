#include "coordinator/service/fault_relay.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

/// A node that only has faults, or was not started for them, or does not answer.
struct FaultyNode {
  bool enabled = true;
  bool answers = true;
  FaultState state{};
};

/// Counts who waits at it, and lets all go at once.
class Barrier {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    most_ = std::max(most_, waiting_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  [[nodiscard]] bool await(std::ptrdiff_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// That ever waited at a time.
  [[nodiscard]] std::ptrdiff_t most() const { return most_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::ptrdiff_t waiting_ = 0;
  std::ptrdiff_t most_ = 0;
};

class FakeLink final : public NodeLink {
 public:
  explicit FakeLink(FaultyNode& node) : node_(node) {}
  NodeBeat heartbeat(std::span<const std::string> /*live*/) override { return {}; }
  TaskAnswer run_task(const TaskOffer& /*offer*/,
                      const Enclosure& /*enclosed*/,
                      std::chrono::milliseconds /*wait*/) override {
    return {};
  }
  TaskAnswer poll_task(const TaskId& /*task*/, std::chrono::milliseconds /*wait*/) override {
    return {};
  }
  void cancel_task(const TaskId& /*task*/) override {}
  void put_blob(const Blob& /*blob*/) override {}
  std::optional<RowPredictions> predict(const Digest& /*model*/,
                                        std::span<const RawRows> /*parts*/,
                                        std::chrono::milliseconds /*deadline*/) override {
    return {};
  }
  void put_model(const Blob& /*file*/) override {}
  Blob get_blob(const BlobRef& /*blob*/) override { return {}; }
  std::optional<FaultState> set_faults(const FaultSettings& faults) override {
    if (node_.enabled && node_.answers) {
      node_.state.faults = faults;
    }
    return this->faults();
  }
  std::optional<FaultState> faults() override {
    if (!node_.answers) {
      throw ConnectionRefused("refused");
    }
    return node_.enabled ? std::optional(node_.state) : std::nullopt;
  }
  void interrupt() override {}
  [[nodiscard]] LinkBytes bytes() const override { return {}; }

 private:
  FaultyNode& node_;
};

FaultSettings drops(double share) {
  FaultSettings faults;
  faults.drop_requests = share;
  return faults;
}

class FaultRelayTest : public testing::Test {
 protected:
  FaultRelay relay(faults::FaultInjector* own = nullptr) {
    return {[this] {
              std::vector<Address> members;
              for (const auto& [port, node] : nodes_) {
                members.push_back({"h", port});
              }
              return members;
            },
            [this](const Address& address) {
              return std::make_unique<FakeLink>(nodes_.at(address.port));
            },
            own};
  }

  ErrorCode refusal(const FaultTarget& target, const FaultSettings& faults) {
    try {
      static_cast<void>(relay(&own_).set(target, faults));
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::kFailed;
  }

  std::map<std::uint16_t, FaultyNode> nodes_;
  faults::FaultInjector own_{1, "h:9000"};
};

TEST_F(FaultRelayTest, SetsOneNodeOrAll) {
  for (std::uint16_t port = 1; port <= 40; ++port) {
    nodes_[port] = {};
  }
  const auto one = relay().set({FaultScope::kNode, {"h", 2}}, drops(0.5));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].server, "h:2");
  EXPECT_EQ(one[0].state.faults, drops(0.5));
  EXPECT_EQ(nodes_[1].state.faults, FaultSettings());
  const auto all = relay().set({FaultScope::kAllNodes}, drops(0.7));
  ASSERT_EQ(all.size(), 40U);
  for (const auto& [port, node] : nodes_) {
    EXPECT_EQ(node.state.faults, drops(0.7));
    EXPECT_EQ(all[port - 1U].server, "h:" + std::to_string(port)) << "in order of arrival";
  }
}

TEST_F(FaultRelayTest, SaysOfEachNodeWhyItDidNot) {
  nodes_ = {{1, {}}, {2, {.enabled = false}}, {3, {.answers = false}}};
  const auto reports = relay().set({FaultScope::kAllNodes}, drops(0.5));
  EXPECT_EQ(reports[0].problem, FaultProblem::kNone);
  EXPECT_EQ(reports[1].problem, FaultProblem::kNotEnabled);
  EXPECT_EQ(reports[1].message, "node h:2 was not started with --enable-fault-injection");
  EXPECT_EQ(reports[2].problem, FaultProblem::kUnreachable);
  EXPECT_EQ(reports[2].message, "refused");
}

TEST_F(FaultRelayTest, SaysNothingOfWhatOnlyTheLogMayKnow) {
  const FaultRelay broken(
      [] {
        return std::vector<Address>{{"h", 1}};
      },
      [](const Address&) -> std::unique_ptr<NodeLink> { throw std::runtime_error("/secret"); },
      nullptr);
  testing::internal::CaptureStdout();
  const auto reports = broken.list();
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("/secret"));
  EXPECT_EQ(reports[0].problem, FaultProblem::kUnreachable);
  EXPECT_EQ(reports[0].message, "the coordinator cannot ask it: internal error");
}

TEST_F(FaultRelayTest, AllCallsTogetherHaveSoManyThreadsMore) {
  constexpr int kCalls = 8;
  Barrier barrier;
  const FaultRelay slow(
      [] {
        std::vector<Address> members;
        for (std::uint16_t port = 1; port <= 40; ++port) {
          members.push_back({"h", port});
        }
        return members;
      },
      [&](const Address&) -> std::unique_ptr<NodeLink> {
        barrier.pass();
        throw ConnectionRefused("refused");
      },
      nullptr);
  std::vector<std::future<std::vector<FaultReport>>> calls;
  for (int call = 0; call < kCalls; ++call) {
    calls.push_back(std::async(std::launch::async, [&] { return slow.list(); }));
  }
  EXPECT_TRUE(barrier.await(kCalls + FaultRelay::kHelpersMax))
      << "each asks, and so do all of them";
  barrier.open();
  for (auto& call : calls) {
    EXPECT_EQ(call.get().size(), 41U);
  }
  EXPECT_EQ(barrier.most(), kCalls + FaultRelay::kHelpersMax);
}

TEST_F(FaultRelayTest, RefusesUnknownNodesAndWrongFaults) {
  EXPECT_EQ(refusal({FaultScope::kAllNodes}, drops(0.5)), ErrorCode::kNotFound);
  nodes_[1] = {};
  EXPECT_EQ(refusal({FaultScope::kNode, {"h", 2}}, drops(0.5)), ErrorCode::kNotFound);
  EXPECT_EQ(refusal({FaultScope::kNode, {"h", 1}}, drops(1.5)), ErrorCode::kInvalidInput);
  FaultSettings slow;
  slow.slow = 2;
  EXPECT_EQ(refusal({FaultScope::kCoordinator}, slow), ErrorCode::kInvalidInput);
  EXPECT_EQ(nodes_[1].state, FaultState());
}

TEST_F(FaultRelayTest, TheCoordinatorsOwnAreMeantByNameAlone) {
  nodes_[1] = {};
  static_cast<void>(relay(&own_).set({FaultScope::kAllNodes}, drops(0.5)));
  EXPECT_EQ(own_.state(), FaultState());
  const auto reports = relay(&own_).set({FaultScope::kCoordinator}, drops(0.25));
  EXPECT_EQ(reports[0].server, "coordinator");
  EXPECT_EQ(own_.state().faults, drops(0.25));
  const auto refused = relay().set({FaultScope::kCoordinator}, drops(0.25));
  EXPECT_EQ(refused[0].problem, FaultProblem::kNotEnabled);
  EXPECT_EQ(refused[0].message, "the coordinator was not started with --enable-fault-injection");
  const auto list = relay(&own_).list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].state.faults, drops(0.5));
  EXPECT_EQ(list[1].state.faults, drops(0.25));
}

}  // namespace
}  // namespace gradmill::coordinator
