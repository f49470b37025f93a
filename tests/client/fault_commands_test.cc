#include "client/commands/fault_commands.h"

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/fake_link.h"

namespace gradmill::client {
namespace {

FaultReport broken() {
  FaultReport report;
  report.server = "10.0.0.1:9001";
  report.state.faults = {
      .drop_requests = 0.3, .delay = std::chrono::milliseconds(20), .slow = 2.5, .crash_after = 7};
  report.state.injected = {.drop_requests = 12, .drop_replies = 4};
  return report;
}

FaultReport refusing(FaultProblem problem = FaultProblem::kNotEnabled) {
  FaultReport report;
  report.server = "h:1";
  report.problem = problem;
  report.message = "node h:1 cannot";
  return report;
}

class FaultCommandsTest : public testing::Test {
 protected:
  int run(const Request& request) {
    out_.str("");
    return client::run(request, link_, {out_, err_, 0, interrupted_});
  }
  void expect_error(const Request& request, ErrorCode code) {
    try {
      static_cast<void>(run(request));
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_EQ(std::string(error.what()), "node h:1 cannot");
    }
  }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(FaultCommandsTest, ListsWhatIsSetAndHowOftenItStruck) {
  link_.fault_reports = {broken(), refusing()};
  ListFaultsRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str(),
            "SERVER         DROP REQUESTS  DROP REPLIES  DELAY  CORRUPT  SLOW   CRASH AFTER  "
            "PROBLEM\n"
            "10.0.0.1:9001  0.3 (12)       (4)           20 ms  -        2.5 x  7            -\n"
            "h:1            -              -             -      -        -      -            "
            "node h:1 cannot\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(
      json[0],
      (nlohmann::json{
          {"server", "10.0.0.1:9001"},
          {"faults",
           {{"drop_requests", 0.3},
            {"drop_replies", 0.0},
            {"delay_ms", 20},
            {"corrupt", 0.0},
            {"slow", 2.5},
            {"crash_after", 7}}},
          {"injected",
           {{"drop_requests", 12}, {"drop_replies", 4}, {"delay", 0}, {"corrupt", 0}, {"slow", 0}}},
          {"problem", ""}}));
  EXPECT_EQ(json[1], (nlohmann::json{{"server", "h:1"}, {"problem", "node h:1 cannot"}}));
}

TEST_F(FaultCommandsTest, SetSendsTheFaultsAndClearNone) {
  link_.fault_reports = {broken()};
  SetFaultsRequest set;
  set.target = {FaultScope::kNode, {"10.0.0.1", 9001}};
  set.faults = broken().state.faults;
  EXPECT_EQ(run(set), 0);
  EXPECT_EQ(link_.fault_target, set.target);
  EXPECT_EQ(link_.fault_settings, set.faults);
  EXPECT_NE(out_.str().find("10.0.0.1:9001  0.3 (12)"), std::string::npos) << out_.str();
  ClearFaultsRequest clear;
  clear.target = set.target;
  EXPECT_EQ(run(clear), 0);
  EXPECT_EQ(link_.fault_target, set.target);
  EXPECT_EQ(link_.fault_settings, FaultSettings());
}

TEST_F(FaultCommandsTest, OneThatRefusesIsAnError) {
  link_.fault_reports = {refusing()};
  expect_error(SetFaultsRequest(), ErrorCode::kNotAllowed);
  expect_error(ClearFaultsRequest(), ErrorCode::kNotAllowed);
  link_.fault_reports = {refusing(FaultProblem::kUnreachable)};
  expect_error(SetFaultsRequest(), ErrorCode::kUnreachable);
}

TEST_F(FaultCommandsTest, OfSeveralTheTableNamesThoseThatRefuse) {
  link_.fault_reports = {broken(), refusing()};
  EXPECT_EQ(run(SetFaultsRequest()), 5);
  EXPECT_NE(out_.str().find("node h:1 cannot"), std::string::npos) << out_.str();
}

}  // namespace
}  // namespace gradmill::client
