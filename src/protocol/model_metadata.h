// What a model file says of how its model came to be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/digest.h"
#include "protocol/job_specification.h"

namespace gradmill {

/// Identity of a job's training data: the SHA-256 of the shards' digests, in order.
[[nodiscard]] Digest data_digest(const JobSpecification& specification);

/// 16-24-26
[[nodiscard]] std::string topology_text(const ml::Topology& topology);

/// The metadata of the weights after a round: whoever writes the file, it has the same bytes.
[[nodiscard]] std::map<std::string, std::string> model_metadata(
    const JobSpecification& specification,
    const std::string& job,
    std::uint32_t round,
    const std::optional<double>& validation_error);

}  // namespace gradmill
