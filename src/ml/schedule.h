// The factor on eta over a job.
#pragma once

#include <cstdint>

#include "ml/training_rule.h"

namespace gradmill::ml {

/// The factor at `position`, from 0 (the first step of the first round) to 1 (the end). The same
/// bits on every machine.
[[nodiscard]] double schedule_factor(Schedule schedule, double position);

/// Where step `step` of `steps`, both of one task, is in its job.
[[nodiscard]] double schedule_position(const TaskPosition& task,
                                       std::uint64_t step,
                                       std::uint64_t steps);

}  // namespace gradmill::ml
