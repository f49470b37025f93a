// Each write, sync, rename and removal in the state folder fails once, one after another: nothing
// is lost, and jobs end with the same bits.

#include <algorithm>
#include <cerrno>

#include <gtest/gtest.h>

#include "system/cluster.h"

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

std::vector<std::string> failing(const Cluster& cluster, const std::string& point, int call) {
  return {
      "LD_PRELOAD=" GRADMILL_STRIKE_AT,
      "ASAN_OPTIONS=verify_asan_link_order=0",
      "GRADMILL_TEST_STATE=" + cluster.state_folder(),
      "GRADMILL_TEST_STRIKE_AT=" + point + ":" + std::to_string(call) + ":" + std::to_string(EIO)};
}

class DiskFaults : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { undisturbed_ = hash_of(Cluster().train(job())); }
  void SetUp() override { ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_; }

  /// Starts a coordinator whose call fails; one that does not start for it says so in a line.
  void start(int call) {
    cluster_.relaunch_coordinator(failing(cluster_, GetParam(), call));
    if (announced_port(cluster_.coordinator()) == 0) {
      EXPECT_EQ(cluster_.coordinator().wait(seconds(10)), 2) << cluster_.coordinator().err();
      EXPECT_NE(cluster_.coordinator().err().find("state folder"), std::string::npos)
          << cluster_.coordinator().err();
      struck_at_start_ = true;
      cluster_.restart_coordinator();
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
    const Ended deletion = cluster_.client({"job", "delete", "job"});
    EXPECT_EQ(deletion.code, 0) << deletion.err << cluster_.coordinator().err();
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

INSTANTIATE_TEST_SUITE_P(Of,
                         DiskFaults,
                         testing::Values("make-folder",
                                         "write-file",
                                         "sync-file",
                                         "rename",
                                         "sync-folder",
                                         "write-log",
                                         "sync-log",
                                         "write-database",
                                         "sync-database",
                                         "remove"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace gradmill::system_test
