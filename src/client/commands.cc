#include "client/commands.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <ostream>
#include <utility>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/data_folder.h"
#include "client/model_output.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFollowWait{1000};
// A coordinator that was reached once is tried again for so long when a call fails.
constexpr std::chrono::seconds kReconnect{5};
constexpr std::chrono::milliseconds kReconnectPause{200};
constexpr int kSubmitsMax = 4;

/// Refuses a file that could not be written later, before any work is done for it.
void check_writable(const std::string& option, const std::string& path) {
  if (path.empty()) {
    return;
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string where = folder.empty() ? "." : folder.string();
  if (std::filesystem::is_directory(path) || ::access(where.c_str(), W_OK) != 0) {
    throw invalid_input(option + ": '" + path + "' cannot be written: " +
                        (std::filesystem::is_directory(path)    ? "it is a folder"
                         : std::filesystem::is_directory(where) ? "no permission"
                                                                : "there is no such folder"));
  }
}

void upload(CoordinatorLink& link,
            const std::vector<Digest>& missing,
            const std::vector<Blob>& blobs) {
  for (const Digest& digest : missing) {
    const auto blob = std::find_if(
        blobs.begin(), blobs.end(), [&](const Blob& one) { return one.ref.digest == digest; });
    if (blob == blobs.end()) {
      throw Error(ErrorCode::kUnreachable, "the coordinator asks for a blob that the job lacks");
    }
    link.put_blob(*blob);
  }
}

void submit(CoordinatorLink& link,
            const std::string& id,
            const JobSpecification& specification,
            const std::vector<Blob>& blobs) {
  for (int attempt = 0; attempt < kSubmitsMax; ++attempt) {
    const std::vector<Digest> missing = link.submit(id, specification);
    if (missing.empty()) {
      return;
    }
    upload(link, missing, blobs);
  }
  throw Error(ErrorCode::kUnavailable, "the coordinator has no room for the data");
}

int detach(const std::string& job,
           const Address& coordinator,
           Progress& progress,
           Console& console) {
  progress.finish();
  const std::string at = " --coordinator " + coordinator.text();
  console.err << "client: detached; job " << job << " goes on\n"
              << "client: follow it with: client job follow " << job << at << '\n'
              << "client: cancel it with: client job cancel " << job << at << '\n'
              << std::flush;
  return program::kDetached;
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

/// Asks until the job has ended and all reports are here; nothing once the user interrupts.
std::optional<FollowedJob> follow_to_end(CoordinatorLink& link,
                                         const std::string& job,
                                         bool with_tasks,
                                         Progress& progress,
                                         const Console& console) {
  FollowedJob followed;
  Clock::time_point answered = Clock::now();
  while (!console.interrupted) {
    JobQuery query;
    query.job = job;
    query.version = followed.status.version;
    query.rounds_known = static_cast<std::uint32_t>(followed.rounds.size());
    query.with_tasks = with_tasks;
    try {
      followed.status = link.follow(query, kFollowWait);
      answered = Clock::now();
    } catch (const Error& error) {
      if (console.interrupted) {
        break;
      }
      if (error.code() != ErrorCode::kUnreachable || Clock::now() - answered > kReconnect) {
        throw;
      }
      ::usleep(static_cast<useconds_t>(std::chrono::microseconds(kReconnectPause).count()));
      continue;
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

int show_end(const FollowedJob& job, Format format, Progress& progress, Console& console) {
  progress.finish();
  write_nodes(console.err, job);
  if (job.status.state != JobState::kSucceeded) {
    console.err << "client: job " << job.status.job << ' ' << name_of(job.status.state) << ": "
                << job.status.message << '\n';
  }
  write_result(console.out, job, format);
  return exit_code_of(job.status.state);
}

}  // namespace

int train(const TrainRequest& request, CoordinatorLink& link, Console console) {
  check_writable("--output", request.output);
  check_writable("--timing", request.timing);
  const DataSet data = read_data_folder(request.folder, request.classes);
  JobSpecification specification;
  specification.rule = request.rule;
  specification.rule.topology.units = {data.features, request.hidden, data.classes};
  if (ml::parameter_count(specification.rule.topology) == 0) {
    throw invalid_input("<h>: " + std::to_string(request.hidden) + " hidden units for " +
                        std::to_string(data.features) + " features and " +
                        std::to_string(data.classes) + " classes make more than " +
                        std::to_string(ml::kParametersMax) + " parameters");
  }
  specification.rounds = request.rounds;
  std::vector<Blob> blobs;
  for (const DataFile& file : data.training) {
    specification.shards.push_back(file.blob.ref);
    blobs.push_back(file.blob);
  }
  for (const DataFile& file : data.validation) {
    specification.validation.push_back(file.blob.ref);
    blobs.push_back(file.blob);
  }
  if (!request.init_from.empty()) {
    blobs.push_back(read_initial_weights(request.init_from, specification.rule));
    specification.initial_weights = blobs.back().ref;
  }
  submit(link, request.job, specification, blobs);

  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job =
      follow_to_end(link, request.job, !request.timing.empty(), progress, console);
  if (!job) {
    return detach(request.job, request.coordinator, progress, console);
  }
  if (job->status.state == JobState::kSucceeded && !request.output.empty()) {
    write_model(request.output, specification, *job, link.get_blob(job->status.parameters));
  }
  if (!request.timing.empty()) {
    const std::string csv = timing_csv(job->rounds);
    const std::string_view part = csv;
    write_file_durably(request.timing, {&part, 1});
  }
  return show_end(*job, request.format, progress, console);
}

int follow(const FollowRequest& request, CoordinatorLink& link, Console console) {
  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job = follow_to_end(link, request.job, false, progress, console);
  if (!job) {
    return detach(request.job, request.coordinator, progress, console);
  }
  return show_end(*job, request.format, progress, console);
}

int cancel(const CancelRequest& request, CoordinatorLink& link, Console console) {
  const JobState state = link.cancel(request.job);
  if (request.format == Format::kJson) {
    console.out << "{\"job_id\": \"" << request.job << "\", \"state\": \"" << name_of(state)
                << "\"}\n";
  } else {
    console.out << "job " << request.job << ": " << name_of(state) << '\n';
  }
  console.out << std::flush;
  if (state != JobState::kCancelled) {
    throw invalid_input("job " + request.job +
                        " had already ended: " + std::string(name_of(state)));
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
