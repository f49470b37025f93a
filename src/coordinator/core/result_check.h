// What a node's result must be before it may count.
#pragma once

#include <optional>
#include <string>

#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// Why `answer`, with the bytes of its delta in `delta`, is no valid result of `offer`, for people;
/// nothing if it is valid: it echoes the offer and the weights, has their size, and every element
/// is finite.
[[nodiscard]] std::optional<std::string> defect_of(const TaskAnswer& answer,
                                                   const Blob& delta,
                                                   const TaskOffer& offer);

}  // namespace gradmill::coordinator
