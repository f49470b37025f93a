// Models in and out of files.
#pragma once

#include <string>

#include "base/blob.h"
#include "client/report.h"
#include "ml/training_rule.h"
#include "protocol/job_specification.h"

namespace gradmill::client {

/// The weights of the model in `path`, in the precision of `rule`. Throws Error(kInvalidInput)
/// naming the file, also if its topology is not the rule's.
[[nodiscard]] Blob read_initial_weights(const std::string& path, const ml::TrainingRule& rule);

/// Writes the trained model as safetensors. Throws Error(kInvalidInput) naming the file.
void write_model(const std::string& path,
                 const JobSpecification& specification,
                 const FollowedJob& job,
                 const Blob& parameters);

}  // namespace gradmill::client
