// Injected faults as users see them.
#pragma once

#include <iosfwd>
#include <vector>

#include "client/request/request.h"
#include "protocol/fault_settings.h"

namespace gradmill::client {

/// What is set and how often it struck: a row a process in the order given, or a JSON array.
void write_faults(std::ostream& to, const std::vector<FaultReport>& reports, Format format);

}  // namespace gradmill::client
