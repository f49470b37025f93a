#include "client/link/reconnecting_link.h"

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::client {
namespace {

using std::chrono::milliseconds;

/// A link whose calls fail as the test says, and succeed when it says nothing more.
class FlakyLink final : public CoordinatorLink {
 public:
  std::vector<Digest> submit(const std::string&,
                             const JobSpecification&,
                             const JobTerms&) override {
    fail("submit");
    return {};
  }
  JobStatus follow(const JobQuery&, milliseconds) override {
    fail("follow");
    return {};
  }
  JobControl control(const std::string&, JobCommand, milliseconds) override {
    fail("control");
    return {};
  }
  std::vector<JobSummary> jobs(std::uint32_t) override {
    fail("jobs");
    return {};
  }
  JobDetails job(const std::string&) override {
    fail("job");
    return {};
  }
  JobExplanation explain(const std::string&) override {
    fail("explain");
    return {};
  }
  void set_scheduling(SchedulingMode) override { fail("schedule"); }
  SchedulingMode scheduling() override {
    fail("scheduling");
    return {};
  }
  JobLog logs(const std::string&, std::uint64_t, milliseconds) override {
    fail("logs");
    return {};
  }
  JobPredictions predictions(const std::string&,
                             std::uint64_t,
                             std::uint32_t,
                             milliseconds) override {
    fail("predictions");
    return {};
  }
  void set_batch_rows(const std::string&, std::uint32_t) override { fail("set batch rows"); }
  JobStatistics job_statistics(const std::string&) override {
    fail("job statistics");
    return {};
  }
  void remove(const std::string&) override { fail("remove"); }
  Garbage collect_garbage(bool, const std::optional<Retention>&) override {
    fail("collect");
    return {};
  }
  std::vector<ModelSummary> models(const std::string&) override {
    fail("models");
    return {};
  }
  ModelDetails model(const std::string&) override {
    fail("model");
    return {};
  }
  ModelStatistics model_statistics(const std::string&) override {
    fail("model statistics");
    return {};
  }
  std::uint32_t import_model(const std::string&, const BlobRef&) override {
    fail("import");
    return 1;
  }
  std::optional<AliasMove> promote_model(const std::string&, const std::string&, bool) override {
    fail("promote");
    return {};
  }
  AliasMove roll_back_model(const std::string&, const std::string&, std::uint32_t) override {
    fail("roll back");
    return {};
  }
  void delete_model(const std::string&, std::uint32_t) override { fail("delete model"); }
  std::vector<NodeStatus> nodes() override {
    fail("nodes");
    return {};
  }
  NodeStatus add_node(const Address&) override {
    fail("add");
    return {};
  }
  NodeStatus remove_node(const Address&, milliseconds) override {
    fail("leave");
    return {};
  }
  std::vector<FaultReport> set_faults(const FaultTarget&, const FaultSettings&) override {
    fail("set faults");
    return {};
  }
  std::vector<FaultReport> faults() override {
    fail("faults");
    return {};
  }
  ServedModel served_model(const std::string&) override {
    fail("served model");
    return {};
  }
  ModelPredictions predict(const std::string&, const RawRows&) override {
    fail("predict");
    return {};
  }
  void put_blob(const Blob&) override { fail("put"); }
  Blob get_blob(const BlobRef&) override {
    fail("get");
    return {};
  }
  void interrupt() override { interrupted = true; }

  std::deque<ErrorCode> failures;
  bool down = false;  // fails for ever
  bool interrupted = false;
  std::vector<std::string> calls;

 private:
  void fail(const std::string& call) {
    calls.push_back(call);
    if (down) {
      throw Error(ErrorCode::kUnreachable, "down");
    }
    if (!failures.empty()) {
      const ErrorCode code = failures.front();
      failures.pop_front();
      throw Error(code, "failed");
    }
  }
};

/// Pauses take no time but move the clock.
class FakeTimer final : public RetryTimer {
 public:
  std::chrono::steady_clock::time_point now() override { return now_; }
  bool pause(milliseconds duration) override {
    pauses.push_back(duration.count());
    now_ += duration;
    if (during_pause) {
      during_pause();
    }
    return !interrupted;
  }
  void interrupt() override { interrupted = true; }

  std::vector<std::int64_t> pauses;
  std::function<void()> during_pause;
  bool interrupted = false;

 private:
  std::chrono::steady_clock::time_point now_;
};

class ReconnectingLinkTest : public testing::Test {
 protected:
  ReconnectingLink make(milliseconds timeout) {
    return {inner_, timer_, {timeout, [&](const std::string& line) { told_.push_back(line); }}};
  }
  /// A link that has reached the coordinator once.
  void reach() {
    static_cast<void>(link_.nodes());
    inner_.calls.clear();
  }

  FlakyLink inner_;
  FakeTimer timer_;
  std::vector<std::string> told_;
  ReconnectingLink link_{inner_, timer_, {milliseconds(60'000), [&](const std::string& line) {
                                            told_.push_back(line);
                                          }}};
};

TEST_F(ReconnectingLinkTest, TheFirstCallFailsAtOnce) {
  for (const ErrorCode code : {ErrorCode::kUnreachable, ErrorCode::kUnavailable}) {
    inner_.failures = {code};
    EXPECT_THROW(static_cast<void>(link_.jobs(1)), Error);
  }
  EXPECT_EQ(inner_.calls.size(), 2U);
  EXPECT_TRUE(timer_.pauses.empty());
  EXPECT_TRUE(told_.empty());
}

TEST_F(ReconnectingLinkTest, EveryCallIsMadeAgainAfterAnOutage) {
  reach();
  const JobSpecification job;
  const std::vector<std::function<void()>> calls = {
      [&] { static_cast<void>(link_.submit("j", job, {})); },
      [&] { static_cast<void>(link_.follow({}, {})); },
      [&] { static_cast<void>(link_.control("j", JobCommand::kPause, {})); },
      [&] { static_cast<void>(link_.jobs(0)); },
      [&] { static_cast<void>(link_.job("j")); },
      [&] { static_cast<void>(link_.logs("j", 0, {})); },
      [&] { static_cast<void>(link_.predictions("j", 0, 1, {})); },
      [&] { link_.set_batch_rows("j", 1); },
      [&] { static_cast<void>(link_.job_statistics("j")); },
      [&] { static_cast<void>(link_.model_statistics("m")); },
      [&] { link_.remove("j"); },
      [&] { static_cast<void>(link_.collect_garbage(true, {})); },
      [&] { static_cast<void>(link_.models("m")); },
      [&] { static_cast<void>(link_.model("m")); },
      [&] { static_cast<void>(link_.import_model("m", {})); },
      [&] { static_cast<void>(link_.promote_model("m@1", "champion", true)); },
      [&] { static_cast<void>(link_.roll_back_model("m", "champion", 1)); },
      [&] { link_.delete_model("m", 1); },
      [&] { static_cast<void>(link_.nodes()); },
      [&] { static_cast<void>(link_.add_node({})); },
      [&] { static_cast<void>(link_.remove_node({}, {})); },
      [&] { static_cast<void>(link_.set_faults({}, {})); },
      [&] { static_cast<void>(link_.faults()); },
      [&] { link_.put_blob({}); },
      [&] { static_cast<void>(link_.get_blob({})); },
  };
  for (const auto& call : calls) {
    inner_.calls.clear();
    inner_.failures = {ErrorCode::kUnreachable, ErrorCode::kUnavailable};
    call();
    EXPECT_EQ(inner_.calls.size(), 3U);
  }
}

TEST_F(ReconnectingLinkTest, SaysOnceThatItTriesAndOnceThatItIsBack) {
  reach();
  inner_.failures.assign(6, ErrorCode::kUnreachable);
  static_cast<void>(link_.follow({}, {}));
  EXPECT_EQ(told_,
            (std::vector<std::string>{"the coordinator does not answer; trying for 60 s more",
                                      "the coordinator is back"}));
  EXPECT_EQ(timer_.pauses, (std::vector<std::int64_t>{100, 200, 400, 800, 1000, 1000}));
}

TEST_F(ReconnectingLinkTest, GivesUpWhenTheTimeIsOver) {
  reach();
  inner_.down = true;
  const auto start = timer_.now();
  EXPECT_THROW(static_cast<void>(link_.follow({}, {})), Error);
  EXPECT_EQ(timer_.now() - start, milliseconds(60'000));
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ReconnectingLinkTest, ATimeoutOfZeroIsNever) {
  ReconnectingLink link = make(milliseconds(0));
  static_cast<void>(link.nodes());
  inner_.down = true;
  EXPECT_THROW(static_cast<void>(link.nodes()), Error);
  EXPECT_EQ(inner_.calls.size(), 2U);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ReconnectingLinkTest, EndsAtOnceWhenTheUserInterrupts) {
  reach();
  inner_.down = true;
  timer_.during_pause = [&] { link_.interrupt(); };
  EXPECT_THROW(static_cast<void>(link_.follow({}, {})), Error);
  EXPECT_EQ(inner_.calls.size(), 1U);
  EXPECT_TRUE(inner_.interrupted);
  EXPECT_THROW(static_cast<void>(link_.follow({}, {})), Error);
  EXPECT_EQ(timer_.pauses.size(), 1U);
}

TEST_F(ReconnectingLinkTest, WhatTheCoordinatorAnswersIsNotAskedAgain) {
  reach();
  for (const ErrorCode code :
       {ErrorCode::kNotFound, ErrorCode::kInvalidInput, ErrorCode::kFailed}) {
    inner_.calls.clear();
    told_.clear();
    inner_.failures = {ErrorCode::kUnreachable, code};
    try {
      static_cast<void>(link_.follow({}, {}));
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
    }
    EXPECT_EQ(inner_.calls.size(), 2U);
    EXPECT_EQ(told_.size(), 2U);  // An answer is an answer: it is back.
  }
}

TEST_F(ReconnectingLinkTest, ADeletionWhoseAnswerWasLostHasSucceeded) {
  reach();
  inner_.failures = {ErrorCode::kUnreachable, ErrorCode::kNotFound};
  EXPECT_NO_THROW(link_.remove("j"));
  inner_.failures = {ErrorCode::kNotFound};
  EXPECT_THROW(link_.remove("j"), Error);
}

TEST(RetryTimer, APauseEndsWhenInterrupted) {
  const auto timer = make_retry_timer();
  EXPECT_TRUE(timer->pause(milliseconds(1)));
  timer->interrupt();
  EXPECT_FALSE(timer->pause(std::chrono::hours(1)));
}

}  // namespace
}  // namespace gradmill::client
