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
#include "formats/shard_blob.h"
#include "ml/standardization.h"
#include "program/exit_code.h"
#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFollowWait{1000};
// Rounds may take a millisecond; nobody reads faster than this.
constexpr std::chrono::milliseconds kGather{20};
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
    query.gather = kGather;
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

/// Everything of a job that goes to the coordinator.
struct Submission {
  JobSpecification specification;
  std::vector<Blob> blobs;
};

void add_data(Submission& submission, const DataSet& data) {
  JobSpecification& specification = submission.specification;
  for (const DataFile& file : data.training) {
    specification.shards.push_back(file.blob.ref);
    submission.blobs.push_back(file.blob);
  }
  for (const DataFile& file : data.validation) {
    specification.validation.push_back(file.blob.ref);
    submission.blobs.push_back(file.blob);
  }
}

ml::Topology topology_of(const TrainRequest& request, const DataSet& data) {
  ml::Topology topology;
  topology.units.push_back(data.features);
  topology.units.insert(topology.units.end(), request.hidden.begin(), request.hidden.end());
  topology.units.push_back(data.classes);
  if (ml::parameter_count(topology) == 0) {
    throw invalid_input("the hidden units, with " + std::to_string(data.features) +
                        " features and " + std::to_string(data.classes) +
                        " classes, make more than " + std::to_string(ml::kParametersMax) +
                        " parameters");
  }
  return topology;
}

ml::Standardization standardization_over(const std::vector<DataFile>& files) {
  std::vector<ml::Shard> shards;
  shards.reserve(files.size());
  for (const DataFile& file : files) {
    shards.push_back(formats::decode_shard(*file.blob.bytes));
  }
  return ml::standardization_of(shards);
}

/// Weights mean nothing without the standardization that they were trained with, so a model brings
/// its own.
void start_from_model(const TrainRequest& request, Submission& submission) {
  ml::TrainingRule& rule = submission.specification.rule;
  InitialModel model = read_initial_model(request.init_from, rule);
  if (request.standardize == Standardize::kAsked && model.standardization.empty()) {
    throw invalid_input("--standardize does not go with --init-from " + request.init_from +
                        ": that model was trained without");
  }
  rule.standardization = std::move(model.standardization);
  submission.specification.initial_weights = model.weights.ref;
  submission.blobs.push_back(std::move(model.weights));
}

/// Reads all files. Throws Error(kInvalidInput) for whatever the coordinator would refuse.
Submission prepare(const TrainRequest& request) {
  const DataSet data = read_data_folder(request.folder, request.classes);
  Submission submission;
  JobSpecification& specification = submission.specification;
  specification.rule = request.rule;
  specification.rule.topology = topology_of(request, data);
  specification.server = request.server;
  specification.rounds = request.rounds;
  specification.validate_every = request.validate_every;
  specification.early_stop = request.early_stop;
  add_data(submission, data);
  if (!request.init_from.empty()) {
    start_from_model(request, submission);
  } else if (request.standardize != Standardize::kNo) {
    specification.rule.standardization = standardization_over(data.training);
  }
  check_specification(specification);
  return submission;
}

void show_submitted(const TrainRequest& request, Console& console) {
  if (request.format == Format::kJson) {
    console.out << "{\"job_id\": \"" << request.job << "\"}\n" << std::flush;
  } else {
    console.out << request.job << '\n' << std::flush;
  }
}

/// Keeps the last good weights of a job that failed after a finished round.
void rescue_model(const std::string& path,
                  const JobSpecification& specification,
                  const FollowedJob& job,
                  CoordinatorLink& link,
                  Console& console) {
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

int train(const TrainRequest& request, CoordinatorLink& link, Console console) {
  check_writable("--output", request.output);
  check_writable("--timing", request.timing);
  check_job_id(request.job);
  const Submission submission = prepare(request);
  submit(link, request.job, submission.specification, submission.blobs);
  if (!request.wait) {
    show_submitted(request, console);
    return program::kSucceeded;
  }

  Progress progress(console.err, console.columns);
  const std::optional<FollowedJob> job =
      follow_to_end(link, request.job, !request.timing.empty(), progress, console);
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
