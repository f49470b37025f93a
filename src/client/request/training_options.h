// The options of a training job, for every command that submits one.
#pragma once

#include "program/arguments.h"

namespace gradmill::client {

/// Adds all options of a training job; the command adds how to say coordinator and folder.
void add_training_options(program::CommandLine& line);

}  // namespace gradmill::client
