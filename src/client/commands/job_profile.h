// Where the time of a job went.
#pragma once

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Of all rounds that are finished. As run() in commands.h.
[[nodiscard]] int show_profile(const ShowJobRequest& request,
                               CoordinatorLink& link,
                               const Console& console);

}  // namespace gradmill::client
