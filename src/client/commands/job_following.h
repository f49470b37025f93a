// Following a job to its end.
#pragma once

#include <optional>
#include <string>

#include "base/address.h"
#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/report/progress.h"
#include "client/report/report.h"
#include "client/request/request.h"

namespace gradmill::client {

/// Asks until the job has ended and all reports are here; nothing once the user interrupts. A
/// paused job has not ended. Throws what the link throws.
[[nodiscard]] std::optional<FollowedJob> follow_to_end(CoordinatorLink& link,
                                                       const std::string& job,
                                                       bool with_tasks,
                                                       Progress& progress,
                                                       const Console& console);

/// A job that was just submitted.
struct SubmittedJob {
  const std::string& job;
  const Address& coordinator;
  bool with_tasks = false;
};

/// As follow_to_end(), of a job that the coordinator must know even after a restart.
[[nodiscard]] std::optional<FollowedJob> follow_submitted(CoordinatorLink& link,
                                                          const SubmittedJob& submitted,
                                                          Progress& progress,
                                                          const Console& console);

/// Shows the id of a job that was submitted and is not followed.
void show_submitted(const std::string& job, Format format, const Console& console);

/// What a client that showed the end of a job exits with.
[[nodiscard]] int exit_code_of(JobState state);

/// Shows the result of a job that has ended. Returns the exit code.
[[nodiscard]] int show_end(const FollowedJob& job,
                           Format format,
                           Progress& progress,
                           const Console& console);

/// Says how to come back to a job that goes on. Returns the exit code.
[[nodiscard]] int detach(const std::string& job,
                         const Address& coordinator,
                         Progress& progress,
                         const Console& console);

/// Follows a job that is already there. As run() in commands.h.
[[nodiscard]] int run(const FollowJobRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
