#include "protocol/job_status.h"

#include <gtest/gtest.h>

namespace gradmill {
namespace {

TEST(JobState, HasTheNamesThatUsersSee) {
  EXPECT_EQ(name_of(JobState::kPending), "pending");
  EXPECT_EQ(name_of(JobState::kRunning), "running");
  EXPECT_EQ(name_of(JobState::kRecovering), "recovering");
  EXPECT_EQ(name_of(JobState::kPaused), "paused");
  EXPECT_EQ(name_of(JobState::kSucceeded), "succeeded");
  EXPECT_EQ(name_of(JobState::kFailed), "failed");
  EXPECT_EQ(name_of(JobState::kCancelled), "cancelled");
}

TEST(JobState, HasEndedOnlyWhereNothingFollows) {
  for (const JobState state :
       {JobState::kPending, JobState::kRunning, JobState::kRecovering, JobState::kPaused}) {
    EXPECT_FALSE(has_ended(state)) << name_of(state);
  }
  for (const JobState state : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    EXPECT_TRUE(has_ended(state)) << name_of(state);
  }
}

}  // namespace
}  // namespace gradmill
