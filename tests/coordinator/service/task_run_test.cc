#include "coordinator/service/task_run.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

/// A node that has done its task already, whose delta is fetched as `get` says.
class DoneLink final : public NodeLink {
 public:
  NodeBeat heartbeat(std::span<const std::string> /*live*/) override { return {}; }
  TaskAnswer run_task(const TaskOffer& /*offer*/,
                      const Enclosure& /*enclosed*/,
                      std::chrono::milliseconds /*wait*/) override {
    return answer;
  }
  TaskAnswer poll_task(const TaskId& /*task*/, std::chrono::milliseconds /*wait*/) override {
    return answer;
  }
  void cancel_task(const TaskId& /*task*/) override {}
  void put_blob(const Blob& /*blob*/) override {}
  std::optional<RowPredictions> predict(const Digest& /*model*/,
                                        std::span<const RawRows> /*parts*/,
                                        std::chrono::milliseconds /*deadline*/) override {
    return {};
  }
  void put_model(const Blob& /*file*/) override {}
  Blob get_blob(const BlobRef& blob) override {
    ++fetched;
    return get(blob);
  }
  std::optional<FaultState> set_faults(const FaultSettings& /*faults*/) override { return {}; }
  std::optional<FaultState> faults() override { return {}; }
  void interrupt() override {}
  [[nodiscard]] LinkBytes bytes() const override { return {}; }

  TaskAnswer answer;
  std::function<Blob(const BlobRef&)> get;
  int fetched = 0;
};

class TaskRunTest : public testing::Test {
 protected:
  TaskRunTest() {
    offer_.id = {.job = "job", .round = 2, .shard = 0, .offer = 5};
    offer_.job = std::make_shared<const JobSpecification>();
    offer_.weights = make_blob(std::string(16, '\1'));
    link_.answer.task = offer_.id;
    link_.answer.state = TaskState::kDone;
    link_.answer.weights = offer_.weights.ref.digest;
    link_.answer.delta = delta_.ref;
    link_.get = [this](const BlobRef& /*blob*/) { return delta_; };
  }

  TaskOutcome run() {
    return run_task(link_,
                    offer_,
                    sent_,
                    {.taken = [] {},
                     .accepted = [] {},
                     .wanted = [] { return true; },
                     .blob = [](const Digest& /*digest*/) { return std::nullopt; }});
  }
  void expect_invalid(const std::string& why) {
    const TaskOutcome outcome = run();
    const auto* const failed = std::get_if<TaskFailed>(&outcome);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->reason, LossReason::kInvalidResult);
    EXPECT_EQ(failed->why, why);
  }

  Blob delta_ = make_blob(std::string(16, '\0'));
  TaskOffer offer_;
  DoneLink link_;
  SentBlobs sent_;
};

TEST_F(TaskRunTest, FetchesTheDeltaByItsName) {
  const TaskOutcome outcome = run();
  const auto* const result = std::get_if<TaskResult>(&outcome);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(result->delta.ref, delta_.ref);
}

TEST_F(TaskRunTest, BytesThatAreNotThoseOfTheirNameAreAnInvalidResult) {
  link_.get = [](const BlobRef& /*blob*/) -> Blob { throw invalid_input("its digest is wrong"); };
  expect_invalid("sent a delta that is not the one it announced");
  link_.get = [](const BlobRef& /*blob*/) { return make_blob(std::string(16, '\2')); };
  expect_invalid("sent a delta that is not the one it announced");
}

TEST_F(TaskRunTest, AConnectionThatBreaksOnTheWayIsALoss) {
  link_.get = [](const BlobRef& /*blob*/) -> Blob {
    throw Error(ErrorCode::kUnreachable, "connection reset");
  };
  const TaskOutcome outcome = run();
  const auto* const lost = std::get_if<TaskLost>(&outcome);
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->reason, LossReason::kConnectionLost);
  EXPECT_EQ(lost->fault, "connection reset");
}

TEST_F(TaskRunTest, AnAnswerForAnotherRoundIsInvalidAndNothingIsFetchedForIt) {
  link_.answer.task.round = 1;
  expect_invalid("answered another offer than it was sent");
  EXPECT_EQ(link_.fetched, 0);
}

TEST_F(TaskRunTest, ADeltaOfAnotherSizeIsInvalidBeforeItIsFetched) {
  link_.answer.delta.bytes = std::uint64_t{1} << 40U;
  expect_invalid("sent a delta of 1099511627776 bytes; the weights have 16");
  EXPECT_EQ(link_.fetched, 0);
}

}  // namespace
}  // namespace gradmill::coordinator
