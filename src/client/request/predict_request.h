// The command line of client predict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/request/request.h"

namespace gradmill::client {

/// Reads the words without `predict`; as parse_request().
[[nodiscard]] std::optional<Request> parse_predict(const std::vector<std::string>& words);

}  // namespace gradmill::client
