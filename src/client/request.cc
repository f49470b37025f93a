#include "client/request.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "client/training_options.h"
#include "program/arguments.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;

CommandLine train_line() {
  CommandLine line("client", "Trains a perceptron on a folder of data and shows how well it does.");
  line.positional("<coordinator_ip>", "host of the coordinator")
      .positional("<coordinator_port>", "its port")
      .positional("<dir>", "folder with train_*.txt and validate_*.txt: numbers, label last")
      .optional_positional("<rounds>", "rounds of training on all shards and averaging")
      .optional_positional("<epochs>",
                           "passes of a task over its shard in a round; --steps-per-round wins")
      .optional_positional("<h>", "units of the hidden layer, or of several: 256,128")
      .optional_positional("<eta>", "step size: of the summed gradient for gd, else the mean");
  add_training_options(line);
  line.epilogue(
      "With --preset, what follows <dir> may be left out.\n"
      "\n"
      "Other commands, with --coordinator HOST:PORT or GRADMILL_COORDINATOR:\n"
      "  client job submit train --data DIR ...   as above; with --no-wait, only submit\n"
      "  client job follow ID                     follow a job to its end\n"
      "  client job cancel ID                     cancel a job\n"
      "\n"
      "Exit codes: 0 succeeded, 1 the job failed, 2 usage or bad input, 3 cancelled,\n"
      "4 coordinator unreachable, 6 no such job, 130 detached by Ctrl-C.\n");
  return line;
}

std::optional<Request> parse_train(const std::vector<std::string>& words) {
  const std::optional<Arguments> arguments = train_line().parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  TrainRequest request = read_training_options(*arguments);
  request.coordinator = {
      arguments->text("<coordinator_ip>"),
      static_cast<std::uint16_t>(arguments->integer("<coordinator_port>", 1, 65'535))};
  request.folder = arguments->text("<dir>");
  return request;
}

Address coordinator_of(const Arguments& arguments) {
  if (!arguments.given("--coordinator") && arguments.text("--coordinator").empty()) {
    throw invalid_input("--coordinator HOST:PORT is missing (or GRADMILL_COORDINATOR)");
  }
  return arguments.address("--coordinator");
}

/// Adds --coordinator.
void add_coordinator(CommandLine& line) {
  // Read once, before any thread is started.
  const char* const environment =
      std::getenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe)
  line.option("--coordinator",
              "HOST:PORT",
              environment != nullptr ? environment : "",
              "the coordinator; GRADMILL_COORDINATOR if not given");
}

std::optional<Request> parse_submit(const std::vector<std::string>& words) {
  CommandLine line("client job submit train", "Submits a training job, and follows it to its end.");
  add_coordinator(line);
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

template <class R>
std::optional<Request> parse_job_verb(const std::string& verb,
                                      const std::string& purpose,
                                      const std::vector<std::string>& words) {
  CommandLine line("client job " + verb, purpose);
  line.positional("<id>", "id of the job");
  add_coordinator(line);
  line.option("--format", "NAME", "text", "of the result: text or json");
  const std::optional<Arguments> arguments = line.parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  return R{coordinator_of(*arguments), arguments->text("<id>"), format_of(*arguments)};
}

std::optional<Request> parse_job(std::vector<std::string> words) {
  // Options may stand anywhere, so the verb is the first word that is none.
  const auto verb = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word == "submit" || word == "follow" || word == "cancel";
  });
  if (verb == words.end()) {
    throw invalid_input(
        "job: use client job submit train, client job follow ID or client job cancel ID");
  }
  const std::string name = *verb;
  const auto object = words.erase(verb);
  if (name == "submit") {
    if (object == words.end() || *object != "train") {
      throw invalid_input("job submit: use client job submit train");
    }
    words.erase(object);
    return parse_submit(words);
  }
  if (name == "follow") {
    return parse_job_verb<FollowRequest>(name, "Follows a job to its end.", words);
  }
  return parse_job_verb<CancelRequest>(name, "Cancels a job that has not ended.", words);
}

}  // namespace

std::optional<Request> parse_request(const std::vector<std::string>& words) {
  // Global options with a value may stand before the noun.
  std::size_t first = 0;
  while (first < words.size() && words[first].starts_with("--")) {
    const bool separate = words[first] == "--coordinator" || words[first] == "--format";
    first += separate ? 2 : 1;
  }
  if (first < words.size() && words[first] == "job") {
    std::vector<std::string> rest = words;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(first));
    return parse_job(std::move(rest));
  }
  return parse_train(words);
}

}  // namespace gradmill::client
