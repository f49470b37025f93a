#include "protocol/fault_settings.h"

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill {
namespace {

using Change = std::function<void(FaultSettings&)>;

std::string refusal(void (*check)(const FaultSettings&), const Change& change) {
  FaultSettings faults;
  change(faults);
  try {
    check(faults);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

TEST(FaultSettings, TheLimitsThemselvesAreAllowed) {
  EXPECT_NO_THROW(check_faults({}));
  EXPECT_NO_THROW(check_faults({.drop_requests = 1,
                                .drop_replies = 1,
                                .delay = kFaultDelayMax,
                                .corrupt = 1,
                                .slow = kFaultSlowMax,
                                .crash_after = kCrashAfterMax}));
}

TEST(FaultSettings, NamesWhatIsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, Change>> wrongs = {
      {"dropped requests", [](auto& faults) { faults.drop_requests = -0.1; }},
      {"dropped requests", [=](auto& faults) { faults.drop_requests = nan; }},
      {"dropped replies", [](auto& faults) { faults.drop_replies = 1.1; }},
      {"corrupted results", [=](auto& faults) { faults.corrupt = infinity; }},
      {"the delay", [](auto& faults) { faults.delay = std::chrono::milliseconds(-1); }},
      {"the delay", [](auto& faults) { ++(faults.delay = kFaultDelayMax); }},
      {"slow tasks", [](auto& faults) { faults.slow = 0.9; }},
      {"slow tasks", [=](auto& faults) { faults.slow = nan; }},
      {"slow tasks", [=](auto& faults) { faults.slow = infinity; }},
      {"before a crash", [](auto& faults) { faults.crash_after = kCrashAfterMax + 1; }},
  };
  for (const auto& [what, change] : wrongs) {
    EXPECT_NE(refusal(check_faults, change).find(what), std::string::npos) << what;
    EXPECT_NE(refusal(check_coordinator_faults, change).find(what), std::string::npos) << what;
  }
}

TEST(FaultSettings, ACoordinatorHasNoResultsAndNoTasks) {
  EXPECT_NO_THROW(check_coordinator_faults({.drop_requests = 1, .crash_after = 1}));
  for (const Change& change : {Change([](auto& faults) { faults.corrupt = 0.5; }),
                               Change([](auto& faults) { faults.slow = 2; })}) {
    EXPECT_EQ(refusal(check_coordinator_faults, change),
              "corrupt and slow go with nodes only, not with the coordinator");
  }
}

}  // namespace
}  // namespace gradmill
