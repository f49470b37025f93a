#include "client/commands/job_following.h"

#include <chrono>
#include <cstdint>
#include <iterator>
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/job_reference.h"
#include "client/report/json_output.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

constexpr std::chrono::milliseconds kFollowWait{1000};
// Rounds may take a millisecond; nobody reads faster than this.
constexpr std::chrono::milliseconds kGather{20};

}  // namespace

std::optional<FollowedJob> follow_to_end(CoordinatorLink& link,
                                         const std::string& job,
                                         bool with_tasks,
                                         Progress& progress,
                                         const Console& console) {
  FollowedJob followed;
  while (!console.interrupted) {
    JobQuery query;
    query.job = job;
    query.version = followed.status.version;
    query.rounds_known = static_cast<std::uint32_t>(followed.rounds.size());
    query.with_tasks = with_tasks;
    query.gather = kGather;
    try {
      followed.status = link.follow(query, kFollowWait);
    } catch (const Error&) {
      if (console.interrupted) {
        break;
      }
      progress.finish();  // The error is to have a line of its own.
      throw;
    }
    auto& news = followed.status.finished;
    const bool all = news.empty();
    std::move(news.begin(), news.end(), std::back_inserter(followed.rounds));
    news.clear();
    progress.show(followed);
    if (has_ended(followed.status.state)) {
      if (all) {
        return followed;
      }
      followed.status.version = 0;  // Ask at once whether there are more reports.
    }
  }
  return std::nullopt;
}

int exit_code_of(JobState state) {
  switch (state) {
    case JobState::kSucceeded:
      return program::kSucceeded;
    case JobState::kCancelled:
      return program::kCancelled;
    default:
      return program::kJobFailed;
  }
}

std::optional<FollowedJob> follow_submitted(CoordinatorLink& link,
                                            const SubmittedJob& submitted,
                                            Progress& progress,
                                            const Console& console) {
  try {
    return follow_to_end(link, submitted.job, submitted.with_tasks, progress, console);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    throw Error(ErrorCode::kNotFound,
                "job " + submitted.job + " is gone: deleted, or the coordinator at " +
                    submitted.coordinator.text() + " was started anew without its state");
  }
}

void show_submitted(const std::string& job, Format format, const Console& console) {
  if (format == Format::kJson) {
    write_json(console.out, {{"job_id", job}});
  } else {
    console.out << job << '\n' << std::flush;
  }
}

int show_end(const FollowedJob& job, Format format, Progress& progress, const Console& console) {
  progress.finish();
  write_nodes(console.err, job);
  if (!job.status.registered.empty()) {
    console.err << "registered as " << job.status.registered << '\n' << std::flush;
  }
  if (job.status.state != JobState::kSucceeded) {
    console.err << "client: job " << job.status.job << ' ' << name_of(job.status.state) << ": "
                << job.status.message << '\n';
  }
  write_result(console.out, job, format);
  return exit_code_of(job.status.state);
}

int detach(const std::string& job,
           const Address& coordinator,
           Progress& progress,
           const Console& console) {
  progress.finish();
  const std::string at = " --coordinator " + coordinator.text();
  console.err << "client: detached; job " << job << " goes on\n"
              << "client: follow it with: client job follow " << job << at << '\n'
              << "client: cancel it with: client job cancel " << job << at << '\n'
              << std::flush;
  return program::kDetached;
}

int run(const FollowJobRequest& request, CoordinatorLink& link, Console console) {
  const std::string id = job_called(request.job, link);
  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job = follow_to_end(link, id, false, progress, console);
  if (!job) {
    return detach(id, request.coordinator, progress, console);
  }
  return show_end(*job, request.format, progress, console);
}

}  // namespace gradmill::client
