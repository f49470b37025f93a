// The command line of client job submit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/request/request.h"

namespace gradmill::client {

/// Reads the words without `job submit`; as parse_request().
[[nodiscard]] std::optional<Request> parse_submit(const std::vector<std::string>& words);

}  // namespace gradmill::client
