// Labels that rows come with, against those that a model knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/prediction.h"

namespace gradmill::client {

/// The index of each label in the model's, or the number of these for one that is not among them.
[[nodiscard]] std::vector<std::uint16_t> classes_of(const std::vector<std::string>& labels,
                                                    const ServedModel& model);

/// A line for people if `classes`, as classes_of() has them, tell of labels that the model does not
/// know; else empty.
[[nodiscard]] std::string unknown_labels_notice(const std::vector<std::string>& labels,
                                                const std::vector<std::uint16_t>& classes,
                                                const ServedModel& model);

}  // namespace gradmill::client
