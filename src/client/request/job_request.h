// Command lines about jobs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/request/verb.h"

namespace gradmill::client {

/// Of `client job`.
[[nodiscard]] std::span<const Verb> job_verbs();

/// `client gc`. As parse_request().
[[nodiscard]] std::optional<Request> parse_collect_garbage(const std::vector<std::string>& words);

}  // namespace gradmill::client
