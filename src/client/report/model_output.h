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

/// Refuses a path for a model that could not be written later, or whose ending names no format,
/// before any work is done for it; an empty one is fine. Throws Error(kInvalidInput) naming
/// --output and the path.
void check_model_output(const std::string& path);

/// Writes the trained model, with the weights of the result's round, in the format that the ending
/// of `path` names. Throws Error(kInvalidInput) naming the file.
void write_model(const std::string& path,
                 const JobSpecification& specification,
                 const FollowedJob& job,
                 const Blob& parameters);

}  // namespace gradmill::client
