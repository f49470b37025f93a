// The log's options, the same in all programs.
#pragma once

#include "program/arguments.h"

namespace gradmill::program {

/// Adds --log-format.
void add_log_options(CommandLine& line);

/// Puts add_log_options() into effect: what is logged from here on has the format asked for. First
/// thing after parsing, before other threads start. Throws Error(kInvalidInput).
void apply_log_options(const Arguments& arguments);

}  // namespace gradmill::program
