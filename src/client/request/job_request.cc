#include "client/request/job_request.h"

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "client/request/common_options.h"
#include "client/request/submit_request.h"
#include "formats/text.h"
#include "program/arguments.h"
#include "protocol/job_specification.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

constexpr std::uint64_t kCountMax = std::numeric_limits<std::int32_t>::max();
constexpr std::array<std::string_view, 2> kModes = {name_of(SchedulingMode::kGlobal),
                                                    name_of(SchedulingMode::kLocal)};

using Add = std::function<void(CommandLine&)>;

/// Parses a line with the common options, and reads them; `add` says what else there is.
template <class R>
std::optional<Arguments> parse_common(CommandLine line,
                                      const Words& words,
                                      R& request,
                                      const Add& add = {}) {
  if (add) {
    add(line);
  }
  add_coordinator_option(line);
  add_common_options(line);
  std::optional<Arguments> arguments = line.parse(words);
  if (arguments) {
    request.coordinator = coordinator_of(*arguments);
    read_common_options(*arguments, request);
  }
  return arguments;
}

/// As parse_common(), of a command about one job.
template <class R>
std::optional<Arguments> parse_job(CommandLine line,
                                   const Words& words,
                                   R& request,
                                   const Add& add = {}) {
  static constexpr std::array<std::string_view, 1> kNames = {kLatestJob};
  line.positional("<id>", "id of the job, or latest").values(kNames);
  std::optional<Arguments> arguments = parse_common(std::move(line), words, request, add);
  if (arguments) {
    request.job = arguments->text("<id>");
  }
  return arguments;
}

std::optional<Request> parse_list(const Words& words) {
  ListJobsRequest request;
  const auto arguments = parse_common(
      {"client job list", "Lists jobs, newest first."}, words, request, [](CommandLine& line) {
        line.option("--limit", "N", "20", "the newest so many; 0: all");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.limit = static_cast<std::uint32_t>(arguments->integer("--limit", 0, kCountMax));
  return request;
}

std::optional<Request> parse_show(const Words& words) {
  ShowJobRequest request;
  const auto arguments = parse_job(
      {"client job show", "Shows how a job stands and what it is."},
      words,
      request,
      [](CommandLine& line) {
        line.flag("--explain", "which node has what of it, and why the others do not")
            .flag("--profile", "where its time went, and whether sharing it out was worth it")
            .option("--plot", "FILE", "", "draw the profile, as SVG");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.plot = arguments->text("--plot");
  request.profile = arguments->flag("--profile") || !request.plot.empty();
  request.explain = arguments->flag("--explain");
  if (request.explain && request.profile) {
    contradict("--explain", arguments->flag("--profile") ? "--profile" : "--plot");
  }
  if (arguments->given("--plot") && !request.plot.ends_with(".svg")) {
    throw invalid_input("--plot: '" + request.plot + "' does not end with .svg");
  }
  return request;
}

std::optional<Request> parse_scheduling(const Words& words) {
  SchedulingRequest request;
  const auto arguments = parse_common(
      {"client job scheduling", "Shows how jobs share the nodes, or changes it."},
      words,
      request,
      [](CommandLine& line) {
        line.optional_positional("<mode>",
                                 "global: all nodes, by fair shares of their slots; local: each "
                                 "job has nodes of its own, by what it costs")
            .values(kModes);
      });
  if (!arguments) {
    return std::nullopt;
  }
  if (arguments->given("<mode>")) {
    const std::string mode = arguments->text("<mode>");
    request.mode = scheduling_mode(mode);
    if (!request.mode) {
      throw invalid_input("<mode>: " + formats::in_quotes(mode) + " is neither global nor local");
    }
  }
  return request;
}

std::optional<Request> parse_stats(const Words& words) {
  JobStatsRequest request;
  return parse_job(
             {"client job stats", "Shows how many tasks a job has done, and how long they took."},
             words,
             request)
             ? std::optional<Request>(request)
             : std::nullopt;
}

std::optional<Request> parse_follow(const Words& words) {
  FollowJobRequest request;
  return parse_job({"client job follow", "Follows a job to its end."}, words, request)
             ? std::optional<Request>(request)
             : std::nullopt;
}

std::optional<Request> parse_logs(const Words& words) {
  JobLogsRequest request;
  const auto arguments = parse_job(
      {"client job logs", "Shows what happened to a job."}, words, request, [](CommandLine& line) {
        line.flag("--follow", "go on until the job has ended; JSON is then an object a line");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.follow = arguments->flag("--follow");
  return request;
}

template <JobCommand kCommand>
std::optional<Request> parse_control(const Words& words) {
  ControlJobRequest request;
  request.command = kCommand;
  const CommandLine line =
      kCommand == JobCommand::kCancel
          ? CommandLine("client job cancel", "Cancels a job, and waits until all nodes know.")
      : kCommand == JobCommand::kPause
          ? CommandLine("client job pause", "Pauses a job, and waits until all nodes know.")
          : CommandLine("client job resume", "Lets a paused job go on.");
  return parse_job(line, words, request) ? std::optional<Request>(request) : std::nullopt;
}

std::optional<Request> parse_output(const Words& words) {
  JobOutputRequest request;
  const auto arguments = parse_job(
      {"client job output", "Writes the model of a job that has ended, or a job's predictions."},
      words,
      request,
      [](CommandLine& line) {
        line.option("--output",
                    "FILE",
                    "",
                    "where to: a model as .safetensors, .npz or .onnx; predictions as text or "
                    "JSON, else on stdout, also while the job runs");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.output = arguments->text("--output");
  return request;
}

std::optional<Request> parse_set(const Words& words) {
  SetJobRequest request;
  const auto arguments = parse_job(
      {"client job set", "Changes a prediction job while it runs."},
      words,
      request,
      [](CommandLine& line) {
        line.option("--batch-size", "N", std::nullopt, "rows of a task, for those still to come");
      });
  if (!arguments) {
    return std::nullopt;
  }
  if (!arguments->given("--batch-size")) {
    throw invalid_input("--batch-size is missing; see client job set --help");
  }
  request.batch_rows =
      static_cast<std::uint32_t>(arguments->integer("--batch-size", 1, kBatchRowsMax));
  return request;
}

std::optional<Request> parse_delete(const Words& words) {
  DeleteJobRequest request;
  return parse_job({"client job delete", "Deletes a job that has ended, with its weights."},
                   words,
                   request)
             ? std::optional<Request>(request)
             : std::nullopt;
}

}  // namespace

std::optional<Request> parse_collect_garbage(const Words& words) {
  CollectGarbageRequest request;
  const auto arguments = parse_common(
      {"client gc", "Deletes old jobs that have ended, and files that no job needs."},
      words,
      request,
      [](CommandLine& line) {
        line.flag("--dry-run", "only tell what would be deleted")
            .option("--keep-jobs", "N", std::nullopt, "keep the newest N ended jobs")
            .option("--keep-for", "TIME", std::nullopt, "keep jobs that ended since")
            .epilogue(
                "Without --keep-jobs and --keep-for, the coordinator's own rule holds; "
                "else these alone.\n");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.dry_run = arguments->flag("--dry-run");
  if (arguments->given("--keep-jobs") || arguments->given("--keep-for")) {
    Retention rule = {.jobs = 0};
    if (arguments->given("--keep-jobs")) {
      rule.jobs = static_cast<std::uint32_t>(arguments->integer("--keep-jobs", 0, kCountMax));
    }
    if (arguments->given("--keep-for")) {
      rule.age = arguments->duration("--keep-for");
    }
    request.rule = rule;
  }
  return request;
}

std::span<const Verb> job_verbs() {
  static constexpr std::array<Verb, 14> kVerbs = {{
      {"submit",
       "",
       "submit train|predict",
       "train, or predict a file; see its --help",
       parse_submit},
      {"list", "ls", "list", "jobs, newest first", parse_list},
      {"show", "", "show ID", "how a job stands and what it is", parse_show},
      {"stats", "", "stats ID", "how long its tasks took", parse_stats},
      {"follow", "", "follow ID", "follow a job to its end", parse_follow},
      {"logs", "", "logs ID", "what happened to a job", parse_logs},
      {"cancel", "", "cancel ID", "end a job", parse_control<JobCommand::kCancel>},
      {"pause", "", "pause ID", "hold a job", parse_control<JobCommand::kPause>},
      {"resume", "", "resume ID", "let a paused job go on", parse_control<JobCommand::kResume>},
      {"set", "", "set ID --batch-size N", "rows of a task of a prediction job", parse_set},
      {"scheduling", "", "scheduling [MODE]", "share nodes: global or local", parse_scheduling},
      {"output",
       "",
       "output ID [--output FILE]",
       "the model or the predictions of a job",
       parse_output},
      {"delete", "rm", "delete ID", "delete an ended job", parse_delete},
      {"gc", "", "gc", "delete old ended jobs; also client gc", parse_collect_garbage},
  }};
  return kVerbs;
}

}  // namespace gradmill::client
