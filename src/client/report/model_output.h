// Models in and out of files.
#pragma once

#include <string>

#include "base/blob.h"
#include "client/report/report.h"
#include "ml/training_rule.h"
#include "protocol/job_specification.h"

namespace gradmill::client {

/// What a job takes from the model that it starts from.
struct InitialModel {
  Blob weights;
  ml::Standardization standardization;  ///< What the weights were trained on; empty: none.
};

/// The model in `path`, its weights in the precision of `rule`. Throws Error(kInvalidInput) naming
/// the file, also if its topology is not the rule's.
[[nodiscard]] InitialModel read_initial_model(const std::string& path,
                                              const ml::TrainingRule& rule);

/// Writes the trained model, with the weights of the result's round, as safetensors. Throws
/// Error(kInvalidInput) naming the file.
void write_model(const std::string& path,
                 const JobSpecification& specification,
                 const FollowedJob& job,
                 const Blob& parameters);

}  // namespace gradmill::client
