#include "client/request/job_request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>

#include "base/error.h"
#include "client/request/common_options.h"
#include "client/request/training_options.h"
#include "client/request/training_reader.h"
#include "program/arguments.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

constexpr std::uint64_t kCountMax = std::numeric_limits<std::int32_t>::max();

std::optional<Request> parse_submit_train(const Words& words) {
  CommandLine line("client job submit train", "Submits a training job, and follows it to its end.");
  add_coordinator_option(line);
  line.option("--data",
              "DIR",
              std::nullopt,
              "folder with train_*.txt and validate_*.txt: numbers, label last")
      .flag("--no-wait", "only submit; the result comes with client job follow ID");
  add_training_options(line);
  const std::optional<Arguments> arguments = line.parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  if (!arguments->given("--data")) {
    throw invalid_input("--data is missing; see client job submit train --help");
  }
  TrainRequest request = read_training_options(*arguments);
  request.coordinator = coordinator_of(*arguments);
  request.folder = arguments->text("--data");
  request.wait = !arguments->flag("--no-wait");
  for (const char* const option : {"--output", "--timing"}) {
    if (!request.wait && arguments->given(option)) {
      contradict(option, "--no-wait");
    }
  }
  return request;
}

std::optional<Request> parse_submit(const Words& words) {
  const std::size_t object = plain_word(words);
  if (object == words.size() && std::find(words.begin(), words.end(), "--help") != words.end()) {
    return parse_submit_train({"--help"});  // There is nothing else to submit.
  }
  if (object == words.size() || words[object] != "train") {
    throw invalid_input("job submit: use client job submit train");
  }
  Words rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(object));
  return parse_submit_train(rest);
}

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
  line.positional("<id>", "id of the job, or latest");
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
        line.flag("--profile", "where its time went, and whether sharing it out was worth it")
            .option("--plot", "FILE", "", "draw the profile, as SVG");
      });
  if (!arguments) {
    return std::nullopt;
  }
  request.plot = arguments->text("--plot");
  request.profile = arguments->flag("--profile") || !request.plot.empty();
  if (arguments->given("--plot") && !request.plot.ends_with(".svg")) {
    throw invalid_input("--plot: '" + request.plot + "' does not end with .svg");
  }
  return request;
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
      {"client job output", "Writes the model of a job that has ended."},
      words,
      request,
      [](CommandLine& line) {
        line.option("--output", "FILE", std::nullopt, "where to: .safetensors, .npz or .onnx");
      });
  if (!arguments) {
    return std::nullopt;
  }
  if (!arguments->given("--output")) {
    throw invalid_input("--output is missing; see client job output --help");
  }
  request.output = arguments->text("--output");
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
  static constexpr std::array<Verb, 11> kVerbs = {{
      {"submit", "", "submit train --data DIR", "train; with --no-wait, only submit", parse_submit},
      {"list", "ls", "list", "jobs, newest first", parse_list},
      {"show", "", "show ID", "how a job stands and what it is", parse_show},
      {"follow", "", "follow ID", "follow a job to its end", parse_follow},
      {"logs", "", "logs ID", "what happened to a job", parse_logs},
      {"cancel", "", "cancel ID", "end a job", parse_control<JobCommand::kCancel>},
      {"pause", "", "pause ID", "hold a job", parse_control<JobCommand::kPause>},
      {"resume", "", "resume ID", "let a paused job go on", parse_control<JobCommand::kResume>},
      {"output", "", "output ID --output FILE", "write the model of an ended job", parse_output},
      {"delete", "rm", "delete ID", "delete an ended job", parse_delete},
      {"gc", "", "gc", "delete old ended jobs; also client gc", parse_collect_garbage},
  }};
  return kVerbs;
}

}  // namespace gradmill::client
