// The predictions of a prediction job, on their way to the user.
#pragma once

#include <string>

#include "client/link/coordinator_link.h"
#include "client/report/console.h"
#include "client/request/request.h"
#include "protocol/job_details.h"

namespace gradmill::client {

/// Refuses a file that predictions could not be written to later, or that is named like a model's,
/// before any work is done for it; an empty path is fine. Throws Error(kInvalidInput).
void check_prediction_output(const std::string& path);

/// Writes the predictions of a job, a prediction job, as they come, to stdout or, once all are
/// there, to request.output. Of a job that ends without all of them it writes what there is, but no
/// file, and says so on stderr. Returns the exit code.
[[nodiscard]] int write_predictions(const JobOutputRequest& request,
                                    const JobDetails& job,
                                    CoordinatorLink& link,
                                    const Console& console);

}  // namespace gradmill::client
