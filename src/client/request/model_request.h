// Command lines about models.
#pragma once

#include <span>

#include "client/request/verb.h"

namespace gradmill::client {

/// Of `client model`.
[[nodiscard]] std::span<const Verb> model_verbs();

}  // namespace gradmill::client
