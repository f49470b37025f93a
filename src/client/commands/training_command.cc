#include "client/commands/training_command.h"

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/job_following.h"
#include "client/commands/submission.h"
#include "client/report/model_output.h"
#include "client/report/output_file.h"
#include "client/report/progress.h"
#include "client/report/report.h"
#include "program/exit_code.h"
#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

/// Keeps the last good weights of a job that failed after a finished round.
void rescue_model(const std::string& path,
                  const JobSpecification& specification,
                  const FollowedJob& job,
                  CoordinatorLink& link,
                  const Console& console) {
  const RoundReport* const round = result_round(job);
  if (round == nullptr || job.status.parameters.bytes == 0) {
    console.err << "client: no round was finished; " << path << " is not written\n" << std::flush;
    return;
  }
  std::string outcome = " are in " + path;
  try {
    write_model(path, specification, job, link.get_blob(job.status.parameters));
  } catch (const Error& error) {
    outcome = std::string(" could not be saved: ") + error.what();
  }
  console.err << "client: the weights of round " << round->round << outcome << '\n' << std::flush;
}

}  // namespace

int run(const TrainRequest& request, CoordinatorLink& link, Console console) {
  check_model_output(request.output);
  check_writable("--timing", request.timing);
  check_job_id(request.job);
  const Submission submission = prepare(request);
  submit(link, request.job, submission);
  if (!request.wait) {
    show_submitted(request.job, request.format, console);
    return program::kSucceeded;
  }

  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job = follow_submitted(link,
                                                          {.job = request.job,
                                                           .coordinator = request.coordinator,
                                                           .with_tasks = !request.timing.empty()},
                                                          progress,
                                                          console);
  if (!job) {
    return detach(request.job, request.coordinator, progress, console);
  }
  if (!request.timing.empty()) {
    const std::string csv = timing_csv(job->rounds);
    const std::string_view part = csv;
    write_file_durably(request.timing, {&part, 1});
  }
  if (job->status.state == JobState::kSucceeded && !request.output.empty()) {
    write_model(
        request.output, submission.specification, *job, link.get_blob(job->status.parameters));
  }
  const int code = show_end(*job, request.format, progress, console);
  if (job->status.state == JobState::kFailed && !request.output.empty()) {
    rescue_model(request.output, submission.specification, *job, link, console);
  }
  return code;
}

}  // namespace gradmill::client
