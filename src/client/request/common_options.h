// The options that all commands of the client have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/request/request.h"
#include "program/arguments.h"

namespace gradmill::client {

/// Adds --coordinator, with GRADMILL_COORDINATOR for a default.
void add_coordinator_option(program::CommandLine& line);
/// Adds the others.
void add_common_options(program::CommandLine& line);

/// The value of --coordinator. The functions that read throw Error(kInvalidInput).
[[nodiscard]] Address coordinator_of(const program::Arguments& arguments);
/// Reads all but the coordinator.
void read_common_options(const program::Arguments& arguments, CommonRequest& request);

/// Adds all of them to a line, parses the words and reads them; nothing if help was asked for.
[[nodiscard]] std::optional<program::Arguments> parse_common(program::CommandLine& line,
                                                             const std::vector<std::string>& words,
                                                             CommonRequest& request);

/// Adds the options that jobs of any kind have: --id, --priority and --weight.
void add_job_options(program::CommandLine& line);
/// A random id unless the user chose one.
[[nodiscard]] std::string job_id_of(const program::Arguments& arguments);
[[nodiscard]] JobShare share_of(const program::Arguments& arguments);

/// Throws Error(kInvalidInput): these two options contradict each other.
[[noreturn]] void contradict(const std::string& one, const std::string& other);

}  // namespace gradmill::client
