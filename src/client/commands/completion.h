// What the coordinator knows that may complete a command line.
#pragma once

#include <string>
#include <vector>

#include "client/link/coordinator_link.h"
#include "program/completion.h"

namespace gradmill::client {

/// Whether the values asked for are names that the coordinator knows.
[[nodiscard]] bool is_known_to_coordinator(const program::Completion& asked);

/// The ids of the newest jobs; names of models, or behind an '@' of versions and aliases; aliases;
/// or addresses of nodes. Throws Error as the link does.
[[nodiscard]] std::vector<std::string> known_values(const program::Completion& asked,
                                                    CoordinatorLink& link);

}  // namespace gradmill::client
