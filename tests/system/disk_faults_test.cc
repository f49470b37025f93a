// Each write, sync, rename and removal in the state folder fails once, one after another: nothing
// is lost, and jobs end with the same bits.

#include <cerrno>

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/strike_points.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

constexpr int kMostCalls = 400;
#ifdef __SANITIZE_ADDRESS__
constexpr int kStep = 7;  // Each failure takes a coordinator, which starts slowly there.
#else
constexpr int kStep = 1;
#endif

std::vector<std::string> job() {
  return {GRADMILL_LETTERS, "3", "2", "24", "0.0001", "--min-loss-change", "0", "--id", "job"};
}

class DiskFaults : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }

  /// Starts a coordinator whose call fails; one that does not start for it says so in a line.
  void start(int call) {
    cluster_.relaunch_coordinator(
        struck_at(cluster_, GetParam() + (":" + std::to_string(call) + ":" + std::to_string(EIO))));
    if (announced_port(cluster_.coordinator()) == 0) {
      EXPECT_EQ(cluster_.coordinator().wait(seconds(10)), 2) << cluster_.coordinator().err();
      EXPECT_NE(cluster_.coordinator().err().find("state folder"), std::string::npos)
          << cluster_.coordinator().err();
      struck_at_start_ = true;
      cluster_.restart_coordinator();
    }
  }

  /// A deletion that fails says so, has changed nothing, and can be tried again.
  void remove_job() {
    const Ended first = cluster_.client({"job", "delete", "job"});
    if (first.code != 0) {
      EXPECT_EQ(first.code, 1) << first.err;
      EXPECT_NE(first.err.find("the state folder"), std::string::npos) << first.err;
      const Ended second = cluster_.client({"job", "delete", "job"});
      EXPECT_EQ(second.code, 0) << second.err << cluster_.coordinator().err();
    }
  }

  /// Trains and deletes a job while the call fails; whether the call was made at all.
  bool survives(const std::string& folder, int call) {
    cluster_.use_state_folder(folder);
    struck_at_start_ = false;
    start(call);
    const Ended result = cluster_.train(job());
    EXPECT_EQ(hash_of(result), undisturbed_) << result.err << cluster_.coordinator().err();
    EXPECT_EQ(cluster_.ask({"job", "show", "job"}).at("state"), "succeeded");
    remove_job();
    EXPECT_EQ(cluster_.ask({"job", "list"}).size(), 0U);
    return struck_at_start_ ||
           cluster_.coordinator().err().find("struck by the test") != std::string::npos;
  }

  static std::string undisturbed_;
  Cluster cluster_;
  bool struck_at_start_ = false;
};
std::string DiskFaults::undisturbed_;

TEST_P(DiskFaults, OfAnyCallLoseNothing) {
  const Folder folder;
  int failures = 0;
  for (int call = 1; call <= kMostCalls; call += kStep) {
    SCOPED_TRACE(GetParam() + (":" + std::to_string(call)));
    if (!survives(folder.path(std::to_string(call)), call)) {
      break;
    }
    ++failures;
  }
  EXPECT_GE(failures, 1);
  EXPECT_LT(failures * kStep, kMostCalls);
  RecordProperty("failures", failures);
}

INSTANTIATE_TEST_SUITE_P(Of, DiskFaults, strike_points(), strike_point_name);

}  // namespace
}  // namespace gradmill::system_test
