#include "protocol/fault_settings.h"

#include "base/error.h"

namespace gradmill {
namespace {

void check_share(double share, const char* what) {
  // Written so that NaN fails, too.
  if (!(share >= 0 && share <= 1)) {
    throw invalid_input(std::string("the share of ") + what + " must be from 0 to 1");
  }
}

}  // namespace

void check_faults(const FaultSettings& faults) {
  check_share(faults.drop_requests, "dropped requests");
  check_share(faults.drop_replies, "dropped replies");
  check_share(faults.corrupt, "corrupted results");
  if (faults.delay.count() < 0 || faults.delay > kFaultDelayMax) {
    throw invalid_input("the delay of calls must be from 0 to " +
                        std::to_string(kFaultDelayMax.count()) + " ms");
  }
  if (!(faults.slow >= 1 && faults.slow <= kFaultSlowMax)) {
    throw invalid_input("the factor of slow tasks must be from 1 to 1000");
  }
  if (faults.crash_after > kCrashAfterMax) {
    throw invalid_input("the number of tasks before a crash must be at most " +
                        std::to_string(kCrashAfterMax));
  }
}

void check_coordinator_faults(const FaultSettings& faults) {
  check_faults(faults);
  if (faults.corrupt > 0 || faults.slow > 1) {
    throw invalid_input("corrupt and slow go with nodes only, not with the coordinator");
  }
}

}  // namespace gradmill
