// Tasks between the generated Thrift types and our own.
#pragma once

#include <cstdint>

#include <wire/node_types.h>

#include "protocol/task.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] TaskId to_wire(const gradmill::TaskId& task);
[[nodiscard]] gradmill::TaskId task_from(const TaskId& task);

/// The rounds of the task's job; the task's round is one of them.
[[nodiscard]] std::uint32_t rounds_from(const RunTaskRequest& request);

[[nodiscard]] LoadRule::type to_wire(gradmill::LoadRule rule);
[[nodiscard]] gradmill::LoadRule load_rule_from(LoadRule::type rule);

/// Deltas of up to 1 MiB go inline.
[[nodiscard]] TaskResponse to_wire(const gradmill::TaskAnswer& answer);
[[nodiscard]] gradmill::TaskAnswer answer_from(TaskResponse&& response);

}  // namespace gradmill::wire
