#include "client/commands/job_control.h"

#include <chrono>
#include <optional>
#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/job_reference.h"
#include "client/report/json_output.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

// The coordinator answers after a second at most, and earlier only once all is done.
constexpr std::chrono::milliseconds kWait{1000};
constexpr int kCallsMax = 30;

std::string name_of(JobCommand command) {
  switch (command) {
    case JobCommand::kCancel:
      return "cancel";
    case JobCommand::kPause:
      return "pause";
    case JobCommand::kResume:
      return "resume";
  }
  return "";
}

/// Whether there is nothing left to wait for.
bool is_done(JobCommand command, const JobControl& job) {
  switch (command) {
    case JobCommand::kCancel:
      return has_ended(job.state) && job.asked.empty();
    case JobCommand::kPause:
      return (job.state == JobState::kPaused || has_ended(job.state)) && job.asked.empty();
    case JobCommand::kResume:
      return job.state != JobState::kPaused && job.asked.empty();
  }
  return true;
}

/// The nodes that still work; some of it may be for other jobs.
std::string busy_nodes(CoordinatorLink& link) {
  std::string names;
  for (const NodeStatus& node : link.nodes()) {
    if (node.running > 0) {
      names += (names.empty() ? "" : ", ") + node.address.text() + " (" +
               std::string(gradmill::name_of(node.state)) + ')';
    }
  }
  return names.empty() ? "no node has tasks" : "nodes with tasks: " + names;
}

/// Nothing once the user interrupts.
std::optional<JobControl> control(const std::string& job,
                                  JobCommand command,
                                  CoordinatorLink& link,
                                  const Console& console) {
  for (int call = 0; call < kCallsMax && !console.interrupted; ++call) {
    const JobControl answer = link.control(job, command, kWait);
    if (is_done(command, answer)) {
      return answer;
    }
  }
  if (console.interrupted) {
    return std::nullopt;
  }
  const std::string notice = link.job(job).status.notice;
  throw Error(ErrorCode::kFailed,
              "job " + job + ": " + name_of(command) + " is asked for, but not " +
                  (notice.empty() ? "acknowledged by all nodes after 30 s; " + busy_nodes(link)
                                  : "done after 30 s: " + notice));
}

void show(const std::string& job, JobState state, Format format, std::ostream& to) {
  if (format == Format::kJson) {
    write_json(to, {{"job_id", job}, {"state", gradmill::name_of(state)}});
  } else {
    to << "job " << job << ": " << gradmill::name_of(state) << '\n' << std::flush;
  }
}

}  // namespace

int run(const ControlJobRequest& request, CoordinatorLink& link, Console console) {
  const std::string id = job_called(request.job, link);
  const std::optional<JobControl> job = control(id, request.command, link, console);
  if (!job) {
    console.err << "client: left; the coordinator goes on to " << name_of(request.command)
                << " job " << id << '\n'
                << std::flush;
    return program::kDetached;
  }
  const bool cancelled =
      request.command == JobCommand::kCancel && job->state == JobState::kCancelled;
  if (has_ended(job->state) && !cancelled) {
    throw invalid_input("job " + id +
                        " had already ended: " + std::string(gradmill::name_of(job->state)));
  }
  show(id, job->state, request.format, console.out);
  return program::kSucceeded;
}

}  // namespace gradmill::client
