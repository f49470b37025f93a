// Command lines about nodes.
#pragma once

#include <span>

#include "client/request/verb.h"

namespace gradmill::client {

/// Of `client node`.
[[nodiscard]] std::span<const Verb> node_verbs();

}  // namespace gradmill::client
