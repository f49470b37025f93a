// From the options of a training job to a request.
#pragma once

#include "client/request/request.h"
#include "program/arguments.h"

namespace gradmill::client {

/// All of the request but coordinator and folder: what the user says, else the preset, else the
/// defaults. <rounds>, <epochs>, <h> and <eta> count like the options of their kind. Throws
/// Error(kInvalidInput) that names the argument, or both of two that contradict each other.
[[nodiscard]] TrainRequest read_training_options(const program::Arguments& arguments);

}  // namespace gradmill::client
