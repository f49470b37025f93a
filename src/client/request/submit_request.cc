#include "client/request/submit_request.h"

#include <array>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "client/request/common_options.h"
#include "client/request/training_options.h"
#include "client/request/training_reader.h"
#include "client/request/verb.h"
#include "program/arguments.h"
#include "protocol/job_specification.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

/// Refuses options that need the end of the job, unless somebody waits for it.
void check_waiting(const Arguments& arguments, std::span<const char* const> options) {
  for (const char* const option : options) {
    if (arguments.flag("--no-wait") && arguments.given(option)) {
      contradict(option, "--no-wait");
    }
  }
}

std::optional<Request> parse_train(const Words& words) {
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
  check_waiting(*arguments, std::array{"--output", "--timing"});
  return request;
}

std::optional<Request> parse_predict_file(const Words& words) {
  PredictFileRequest request;
  CommandLine line("client job submit predict",
                   "Submits a job that predicts all rows of a file, and follows it to its end.");
  line.option("--model", "NAME", std::nullopt, "the model: NAME, NAME@VERSION or NAME@ALIAS")
      .option("--data", "FILE", std::nullopt, "rows of features, a line each")
      .flag("--labelled", "the last column is a label, which gives an accuracy")
      .option("--batch-size",
              "N",
              std::nullopt,
              "rows of a task (default: 4096, or as many as a task may have)")
      .option("--output",
              "FILE",
              "",
              "write the predictions, as client predict does; also later: client job output ID")
      .flag("--no-wait", "only submit; see client job follow ID and client job output ID");
  add_job_options(line);
  const std::optional<Arguments> arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  for (const char* const option : {"--model", "--data"}) {
    if (!arguments->given(option)) {
      throw invalid_input(std::string(option) +
                          " is missing; see client job submit predict --help");
    }
  }
  request.model = arguments->text("--model");
  request.file = arguments->text("--data");
  request.labelled = arguments->flag("--labelled");
  if (arguments->given("--batch-size")) {
    request.batch_rows =
        static_cast<std::uint32_t>(arguments->integer("--batch-size", 1, kBatchRowsMax));
  }
  request.output = arguments->text("--output");
  request.wait = !arguments->flag("--no-wait");
  check_waiting(*arguments, std::array{"--output"});
  request.job = job_id_of(*arguments);
  request.share = share_of(*arguments);
  return request;
}

std::span<const Verb> kinds() {
  static constexpr std::array<Verb, 2> kKinds = {{
      {"train", "", "submit train --data DIR ...", "train a model on a folder", parse_train},
      {"predict",
       "",
       "submit predict --model NAME --data FILE",
       "predict the rows of a file",
       parse_predict_file},
  }};
  return kKinds;
}

std::optional<Request> parse_without_kind(const Words& words) {
  CommandLine line("client job submit", "Submits a job of one of two kinds; each has --help:");
  line.epilogue(verbs_text("job", kinds()));
  return answer(
      line,
      kinds(),
      words,
      "job submit: what kind of job is missing: train or predict; see client job submit --help");
}

}  // namespace

std::optional<Request> parse_submit(const Words& words) {
  const std::size_t at = plain_word(words);
  return at == words.size() ? parse_without_kind(words) : parse_verb("job submit", kinds(), words);
}

}  // namespace gradmill::client
