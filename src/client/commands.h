// What the client does.
#pragma once

#include <atomic>
#include <iosfwd>

#include "client/coordinator_link.h"
#include "client/report.h"
#include "client/request.h"

namespace gradmill::client {

/// Where output goes, and whether the user has had enough.
struct Console {
  std::ostream& out;                     ///< Results.
  std::ostream& err;                     ///< Progress, hints.
  unsigned columns = 0;                  ///< Width of the terminal behind `err`; 0: none.
  const std::atomic<bool>& interrupted;  ///< Ctrl-C: leave the job and end.
};

/// Reads the data, submits the job, follows it and writes what was asked for. Returns the exit
/// code; throws Error for what keeps the job from being submitted or followed.
[[nodiscard]] int train(const TrainRequest& request, CoordinatorLink& link, Console console);

/// Follows a job to its end. As train().
[[nodiscard]] int follow(const FollowRequest& request, CoordinatorLink& link, Console console);

/// Cancels a job; 0 if it is cancelled now.
[[nodiscard]] int cancel(const CancelRequest& request, CoordinatorLink& link, Console console);

}  // namespace gradmill::client
