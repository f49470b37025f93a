// Command lines about faults that processes inject on purpose.
#pragma once

#include <span>

#include "client/request/verb.h"

namespace gradmill::client {

/// Of `client fault`.
[[nodiscard]] std::span<const Verb> fault_verbs();

}  // namespace gradmill::client
