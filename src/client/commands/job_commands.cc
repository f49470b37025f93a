#include "client/commands/job_commands.h"

#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/job_following.h"
#include "client/commands/job_profile.h"
#include "client/commands/job_reference.h"
#include "client/commands/job_scheduling.h"
#include "client/commands/prediction_fetching.h"
#include "client/report/job_tables.h"
#include "client/report/json_output.h"
#include "client/report/model_output.h"
#include "client/report/output_file.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

void show_output(const JobOutputRequest& request, const FollowedJob& job, const Console& console) {
  const RoundReport& round = *result_round(job);
  if (request.format == Format::kText) {
    console.out << "the weights of round " << round.round << " are in " << request.output << '\n'
                << std::flush;
    return;
  }
  using nlohmann::ordered_json;
  write_json(console.out,
             {{"job_id", job.status.job},
              {"output", request.output},
              {"round", round.round},
              {"validation_error",
               round.validation_error ? ordered_json(*round.validation_error) : ordered_json()},
              {"exact", job.status.exact},
              {"parameters_sha256", job.status.parameters.digest.hex()}});
}

}  // namespace

int run(const ListJobsRequest& request, CoordinatorLink& link, Console console) {
  write_jobs(console.out, link.jobs(request.limit), request.format);
  return program::kSucceeded;
}

int run(const ShowJobRequest& request, CoordinatorLink& link, Console console) {
  if (request.profile) {
    return show_profile(request, link, console);
  }
  if (request.explain) {
    return show_explanation(request, link, console);
  }
  write_details(console.out, link.job(job_called(request.job, link)), request.format);
  return program::kSucceeded;
}

int run(const JobOutputRequest& request, CoordinatorLink& link, Console console) {
  check_writable("--output", request.output);
  const std::string id = job_called(request.job, link);
  const JobDetails details = link.job(id);
  if (details.specification.prediction) {
    return write_predictions(request, details, link, console);
  }
  if (request.output.empty()) {
    throw invalid_input("--output is missing: job " + id +
                        " trains a model; see client job output --help");
  }
  check_model_output(request.output);
  if (!has_ended(details.status.state)) {
    throw invalid_input("job " + id + " is " + std::string(name_of(details.status.state)) +
                        " and has no result yet; wait for it with: client job follow " + id);
  }
  // The model names its round and that one's error, so the reports of the rounds are needed.
  std::ostringstream nowhere;
  Progress silent(nowhere, 0);
  const std::optional<FollowedJob> job = follow_to_end(link, id, false, silent, console);
  if (!job) {
    return program::kDetached;
  }
  if (result_round(*job) == nullptr || job->status.parameters.bytes == 0) {
    throw Error(ErrorCode::kNotFound,
                "job " + id + " has no model: no round of it was finished; " + request.output +
                    " is not written");
  }
  write_model(request.output, details.specification, *job, link.get_blob(job->status.parameters));
  if (job->status.state != JobState::kSucceeded) {
    console.err << "client: job " << id << ' ' << name_of(job->status.state) << ": "
                << job->status.message << '\n'
                << std::flush;
  }
  show_output(request, *job, console);
  return program::kSucceeded;
}

int run(const DeleteJobRequest& request, CoordinatorLink& link, Console console) {
  const std::string id = job_called(request.job, link);
  link.remove(id);
  if (request.format == Format::kJson) {
    write_json(console.out, {{"job_id", id}, {"deleted", true}});
  } else {
    console.out << "job " << id << ": deleted\n" << std::flush;
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
