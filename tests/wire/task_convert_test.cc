#include "wire/task_convert.h"

#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::wire {
namespace {

std::uint32_t rounds_of(std::int32_t round, std::int32_t rounds) {
  RunTaskRequest request;
  request.task.round = round;
  request.rounds = rounds;
  return rounds_from(request);
}

TEST(TaskConvert, ARoundIsOneOfItsJob) {
  EXPECT_EQ(rounds_of(1, 1), 1U);
  EXPECT_EQ(rounds_of(3, 24), 24U);
  EXPECT_EQ(rounds_of(24, 24), 24U);
  constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
  for (const auto& [round, rounds] : {std::pair(0, 0),
                                      std::pair(0, 3),
                                      std::pair(4, 3),
                                      std::pair(-1, 3),
                                      std::pair(1, -1),
                                      std::pair(kLeast, kLeast)}) {
    EXPECT_THROW(static_cast<void>(rounds_of(round, rounds)), Error) << round << ' ' << rounds;
  }
}

TEST(TaskConvert, StatesComeBackAsTheyWere) {
  for (const auto state : {gradmill::TaskState::kRunning,
                           gradmill::TaskState::kRefused,
                           gradmill::TaskState::kMissing,
                           gradmill::TaskState::kBusy,
                           gradmill::TaskState::kFailed,
                           gradmill::TaskState::kCancelled,
                           gradmill::TaskState::kNotFound}) {
    gradmill::TaskAnswer answer;
    answer.task.job = "j";
    answer.state = state;
    EXPECT_EQ(answer_from(to_wire(answer)).state, state);
  }
  TaskResponse unknown;
  unknown.task.job_id = "j";
  EXPECT_THROW(static_cast<void>(answer_from(std::move(unknown))), Error);
}

}  // namespace
}  // namespace gradmill::wire
