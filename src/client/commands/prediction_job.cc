#include "client/commands/prediction_job.h"

#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/job_following.h"
#include "client/commands/job_reference.h"
#include "client/commands/prediction_fetching.h"
#include "client/commands/prediction_submission.h"
#include "client/report/json_output.h"
#include "program/exit_code.h"
#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

/// Writes the predictions of the job that has ended. Returns the exit code.
int save(const PredictFileRequest& request, CoordinatorLink& link, const Console& console) {
  JobOutputRequest output;
  output.format = request.format;
  output.output = request.output;
  // The summary of the job is what stdout has.
  std::ostringstream nowhere;
  const Console quiet{nowhere, console.err, console.columns, console.interrupted};
  return write_predictions(output, link.job(request.job), link, quiet);
}

}  // namespace

int run(const PredictFileRequest& request, CoordinatorLink& link, Console console) {
  check_prediction_output(request.output);
  check_job_id(request.job);
  // One version for all rows, whatever becomes of the alias meanwhile.
  const Submission submission = prepare(request, link.served_model(request.model));
  if (!submission.notice.empty()) {
    console.err << "client: " << submission.notice << '\n' << std::flush;
  }
  submit(link, request.job, submission);
  if (!request.wait) {
    show_submitted(request.job, request.format, console);
    return program::kSucceeded;
  }
  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job = follow_submitted(
      link, {.job = request.job, .coordinator = request.coordinator}, progress, console);
  if (!job) {
    return detach(request.job, request.coordinator, progress, console);
  }
  progress.finish();
  if (job->status.state == JobState::kSucceeded && !request.output.empty()) {
    if (const int code = save(request, link, console); code != program::kSucceeded) {
      return code;
    }
  }
  const int code = show_end(*job, request.format, progress, console);
  if (code != program::kSucceeded && !request.output.empty()) {
    console.err << "client: " << request.output << " is not written; what there is comes with: "
                << "client job output " << request.job << '\n'
                << std::flush;
  }
  return code;
}

int run(const SetJobRequest& request, CoordinatorLink& link, Console console) {
  const std::string id = job_called(request.job, link);
  const JobDetails job = link.job(id);
  if (!job.specification.prediction) {
    throw invalid_input("job " + id +
                        " trains a model; only the batch size of prediction jobs can be changed");
  }
  if (has_ended(job.status.state)) {
    throw invalid_input("job " + id +
                        " had already ended: " + std::string(name_of(job.status.state)));
  }
  link.set_batch_rows(id, request.batch_rows);
  if (request.format == Format::kJson) {
    write_json(console.out, {{"job_id", id}, {"batch_size", request.batch_rows}});
  } else {
    console.out << "job " << id << ": batches of " << request.batch_rows << " rows from now on\n"
                << std::flush;
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
