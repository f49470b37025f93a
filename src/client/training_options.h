// The options of a training job, for every command that submits one.
#pragma once

#include <string>

#include "client/request.h"
#include "program/arguments.h"

namespace gradmill::client {

/// Adds all options of a training job; the command adds how to say coordinator and folder.
void add_training_options(program::CommandLine& line);

/// All of the request but coordinator and folder: what the user says, else the preset, else the
/// defaults. <rounds>, <epochs>, <h> and <eta> count like the options of their kind. Throws
/// Error(kInvalidInput) that names the argument, or both of two that contradict each other.
[[nodiscard]] TrainRequest read_training_options(const program::Arguments& arguments);

/// The value of --format.
[[nodiscard]] Format format_of(const program::Arguments& arguments);

/// Throws Error(kInvalidInput): these two options contradict each other.
[[noreturn]] void contradict(const std::string& one, const std::string& other);

}  // namespace gradmill::client
