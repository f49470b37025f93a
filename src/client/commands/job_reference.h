// How users name jobs.
#pragma once

#include <string>

#include "client/link/coordinator_link.h"

namespace gradmill::client {

/// The id of the job that the user calls `name`: the newest one's if that is `latest`. Throws
/// Error(kNotFound) if there is no job yet.
[[nodiscard]] std::string job_called(const std::string& name, CoordinatorLink& link);

}  // namespace gradmill::client
