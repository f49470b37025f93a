#include "wire/fault_convert.h"

#include <string>

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

using std::chrono::milliseconds;

gradmill::FaultSettings faults() {
  return {.drop_requests = 0.1,
          .drop_replies = 0.2,
          .delay = milliseconds(3),
          .corrupt = 0.4,
          .slow = 5,
          .crash_after = 6};
}

gradmill::FaultState state() {
  return {.faults = faults(),
          .injected = {.drop_requests = 1, .drop_replies = 2, .delay = 3, .corrupt = 4, .slow = 5}};
}

TEST(FaultConvert, StatesComeBackAsTheyWere) {
  EXPECT_EQ(faults_from(to_wire(faults())), faults());
  EXPECT_EQ(fault_state_from(to_wire(state())), state());
}

TEST(FaultConvert, NamesTheFieldThatIsWrong) {
  const Wrongs<FaultState> wrongs = {
      {"dropped requests", [](auto& one) { one.faults.drop_requests = 2; }},
      {"dropped replies", [](auto& one) { one.faults.drop_replies = -1; }},
      {"the delay", [](auto& one) { one.faults.delay_ms = -1; }},
      {"the delay", [](auto& one) { one.faults.delay_ms = 60'001; }},
      {"corrupted results", [](auto& one) { one.faults.corrupt = 2; }},
      {"slow tasks", [](auto& one) { one.faults.slow = 0; }},
      {"before a crash", [](auto& one) { one.faults.crash_after = -1; }},
      {"injected faults", [](auto& one) { one.injected.drop_requests = -1; }},
      {"injected faults", [](auto& one) { one.injected.drop_replies = -1; }},
      {"injected faults", [](auto& one) { one.injected.delay = -1; }},
      {"injected faults", [](auto& one) { one.injected.corrupt = -1; }},
      {"injected faults", [](auto& one) { one.injected.slow = -1; }},
  };
  expect_refusals(to_wire(state()), wrongs, fault_state_from);
}

TEST(FaultConvert, TargetsComeBackAsTheyWere) {
  for (const gradmill::FaultTarget& target :
       {gradmill::FaultTarget{gradmill::FaultScope::kNode, {"h", 9}},
        gradmill::FaultTarget{gradmill::FaultScope::kAllNodes},
        gradmill::FaultTarget{gradmill::FaultScope::kCoordinator}}) {
    const SetFaultsRequest request = to_wire(target, faults());
    EXPECT_EQ(fault_target_from(request), target);
    EXPECT_EQ(faults_from(request.faults), faults());
  }
  const Wrongs<SetFaultsRequest> wrongs = {
      {"the scope", [](auto& one) { one.scope = FaultScope::UNKNOWN; }},
      {"the node's host", [](auto& one) { one.host = ""; }},
      {"the node's port", [](auto& one) { one.port = 0; }},
  };
  expect_refusals(to_wire({gradmill::FaultScope::kNode, {"h", 9}}, {}), wrongs, fault_target_from);
}

TEST(FaultConvert, ReportsComeBackAsTheyWere) {
  gradmill::FaultReport good;
  good.server = "h:9";
  good.state = state();
  gradmill::FaultReport bad;
  bad.server = "coordinator";
  bad.problem = gradmill::FaultProblem::kNotEnabled;
  bad.message = "m";
  const auto got = fault_reports_from(to_wire(std::vector{good, bad}));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].server, "h:9");
  EXPECT_EQ(got[0].problem, gradmill::FaultProblem::kNone);
  EXPECT_EQ(got[0].state, state());
  EXPECT_EQ(got[1].server, "coordinator");
  EXPECT_EQ(got[1].problem, gradmill::FaultProblem::kNotEnabled);
  EXPECT_EQ(got[1].message, "m");
  const Wrongs<std::vector<FaultReport>> wrongs = {
      {"the problem", [](auto& all) { all[0].problem = FaultProblem::UNKNOWN; }},
      {"the name of the process", [](auto& all) { all[0].server = ""; }},
      {"slow tasks", [](auto& all) { all[0].state.faults.slow = 0; }},
  };
  expect_refusals(to_wire(std::vector{good, bad}), wrongs, fault_reports_from);
}

}  // namespace
}  // namespace gradmill::wire
