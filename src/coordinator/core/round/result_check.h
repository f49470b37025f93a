// What a node's result must be before it may count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// How many bytes a result of `offer` has.
[[nodiscard]] std::uint64_t result_bytes(const TaskOffer& offer);

/// What is wrong with the size that `answer` announces, for people, if anything is.
[[nodiscard]] std::optional<std::string> defect_of_size(const TaskAnswer& answer,
                                                        const TaskOffer& offer);

/// Why `answer`, with the bytes of its delta in `delta`, is no valid result of `offer`, for people;
/// nothing if it is valid: it echoes the offer and the weights, has the size that it must have,
/// and every element is finite or a prediction that can be.
[[nodiscard]] std::optional<std::string> defect_of(const TaskAnswer& answer,
                                                   const Blob& delta,
                                                   const TaskOffer& offer);

}  // namespace gradmill::coordinator
