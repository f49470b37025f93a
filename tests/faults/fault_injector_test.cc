#include "faults/fault_injector.h"

#include <future>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

FaultSettings drops(double share) {
  FaultSettings faults;
  faults.drop_requests = share;
  faults.drop_replies = share;
  return faults;
}

std::vector<bool> admitted(FaultInjector& injector, int calls = 200) {
  std::vector<bool> answers;
  for (int call = 0; call < calls; ++call) {
    answers.push_back(injector.admit_call());
  }
  return answers;
}

TEST(FaultInjector, DoesNothingUntilItIsTold) {
  FaultInjector injector(1, "h:1", [] { FAIL(); });
  for (int call = 0; call < 100; ++call) {
    EXPECT_TRUE(injector.admit_call());
    EXPECT_TRUE(injector.answer_call());
    EXPECT_FALSE(injector.spoil_result().has_value());
    EXPECT_EQ(injector.hold_back(nanoseconds(1000)).count(), 0);
    injector.begin_task();
  }
  EXPECT_EQ(injector.state(), FaultState());
}

TEST(FaultInjector, DrawsAreThoseOfSeedAddressAndNumber) {
  FaultInjector injector(1, "h:1");
  injector.set(drops(0.5));
  const std::vector<bool> first = admitted(injector);
  injector.set(drops(0.5));
  EXPECT_EQ(admitted(injector), first);
  FaultInjector same(1, "h:1");
  same.set(drops(0.5));
  static_cast<void>(same.answer_call());  // Of another stream.
  EXPECT_EQ(admitted(same), first);
  FaultInjector seed(2, "h:1");
  seed.set(drops(0.5));
  EXPECT_NE(admitted(seed), first);
  FaultInjector address(1, "h:2");
  address.set(drops(0.5));
  EXPECT_NE(admitted(address), first);
}

TEST(FaultInjector, StrikesTheShareThatWasAskedForAndCounts) {
  FaultInjector injector(1, "h:1");
  injector.set(drops(0.3));
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  for (int call = 0; call < 10'000; ++call) {
    refused += injector.admit_call() ? 0 : 1;
    unanswered += injector.answer_call() ? 0 : 1;
  }
  EXPECT_NEAR(static_cast<double>(refused), 3000, 6 * 46);  // Six deviations.
  EXPECT_NEAR(static_cast<double>(unanswered), 3000, 6 * 46);
  EXPECT_EQ(injector.state().injected.drop_requests, refused);
  EXPECT_EQ(injector.state().injected.drop_replies, unanswered);
  injector.set({});
  EXPECT_TRUE(injector.admit_call());
  EXPECT_EQ(injector.state().injected.drop_requests, refused) << "counts outlive settings";
}

TEST(FaultInjector, SharesOfNoneAndAllAreExact) {
  FaultInjector injector(1, "h:1");
  FaultSettings all = drops(1);
  all.corrupt = 1;
  injector.set(all);
  std::set<CorruptionKind> kinds;
  for (int n = 0; n < 200; ++n) {
    EXPECT_FALSE(injector.admit_call());
    EXPECT_FALSE(injector.answer_call());
    kinds.insert(injector.spoil_result().value().kind);
  }
  EXPECT_EQ(kinds.size(), 4U);
  EXPECT_EQ(injector.state().injected.corrupt, 200U);
}

TEST(FaultInjector, ATaskTakesSoManyTimesAsLong) {
  FaultInjector injector(1, "h:1");
  FaultSettings slow;
  slow.slow = 2.5;
  injector.set(slow);
  EXPECT_EQ(injector.hold_back(nanoseconds(1000)).count(), 1500);
  EXPECT_EQ(injector.state().injected.slow, 1U);
}

TEST(FaultInjector, CrashesAsThatManythTaskFromThenOnBegins) {
  int begun = 0;
  std::vector<int> crashes;
  FaultInjector injector(1, "h:1", [&] { crashes.push_back(begun); });
  const auto begin = [&] {
    ++begun;
    injector.begin_task();
  };
  begin();
  FaultSettings crash;
  crash.crash_after = 3;
  injector.set(crash);
  for (int task = 0; task < 5; ++task) {
    begin();
  }
  EXPECT_EQ(crashes, std::vector<int>{4});
}

TEST(FaultInjector, DelaysEndWhenItStops) {
  FaultInjector injector(1, "h:1");
  FaultSettings late;
  late.delay = milliseconds(5);
  injector.set(late);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(injector.admit_call());
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(5));
  late.delay = kFaultDelayMax;
  injector.set(late);
  auto call = std::async(std::launch::async, [&] { return injector.admit_call(); });
  while (injector.state().injected.delay < 2) {
    std::this_thread::yield();
  }
  injector.stop();
  EXPECT_TRUE(call.get());
  EXPECT_TRUE(injector.admit_call());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(FaultInjector, KeepsWhatItHasWhenItRefuses) {
  FaultInjector injector(1, "h:1");
  injector.set(drops(0.5));
  EXPECT_THROW(injector.set(drops(1.5)), Error);
  EXPECT_EQ(injector.state().faults, drops(0.5));
}

}  // namespace
}  // namespace gradmill::faults
