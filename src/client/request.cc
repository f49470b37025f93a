#include "client/request.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/random_id.h"
#include "formats/shard_blob.h"
#include "program/arguments.h"
#include "protocol/job_specification.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;

constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};
constexpr std::array<std::string_view, 2> kPrecisions = {"float", "double"};
constexpr std::array<std::string_view, 2> kActivations = {"relu", "ml-py"};
// MT19937 is seeded with 32 bits.
constexpr std::uint64_t kSeedMax = 0xFFFFFFFFU;

CommandLine train_line() {
  CommandLine line("client", "Trains a perceptron on a folder of data and shows how well it does.");
  line.positional("<coordinator_ip>", "host of the coordinator")
      .positional("<coordinator_port>", "its port")
      .positional("<dir>", "folder with train_*.txt and validate_*.txt: numbers, label last")
      .positional("<rounds>", "rounds of training on all shards and averaging")
      .positional("<epochs>", "passes over its shard that a task makes in a round")
      .positional("<h>", "hidden units")
      .positional("<eta>", "step size, for the summed gradient")
      .option("--precision", "NAME", "float", "float or double")
      .option("--activation", "NAME", "relu", "relu, or ml-py to reproduce the course's program")
      .option("--seed", "N", "1", "of the initial weights")
      .option("--min-loss-change",
              "X",
              "0.2",
              "a task stops when its loss changes by X or less; 0: never")
      .option("--classes", "N", std::nullopt, "number of classes (default: largest label + 1)")
      .option("--format", "NAME", "text", "of the result: text or json")
      .option("--timing", "FILE", std::nullopt, "write the seconds of each round and task as CSV")
      .option("--output", "FILE", std::nullopt, "write the trained model as safetensors")
      .option("--init-from", "FILE", std::nullopt, "start from the weights of such a model")
      .option("--id", "ID", std::nullopt, "id of the job (default: a random one)")
      .epilogue(
          "Other commands, with --coordinator HOST:PORT or GRADMILL_COORDINATOR:\n"
          "  client job follow ID   follow a job to its end\n"
          "  client job cancel ID   cancel a job\n"
          "\n"
          "Exit codes: 0 succeeded, 1 the job failed, 2 usage or bad input, 3 cancelled,\n"
          "4 coordinator unreachable, 6 no such job, 130 detached by Ctrl-C.\n");
  return line;
}

Format format_of(const Arguments& arguments) {
  return arguments.choice("--format", kFormats) == "json" ? Format::kJson : Format::kText;
}

std::string optional_text(const Arguments& arguments, const std::string& name) {
  return arguments.given(name) ? arguments.text(name) : std::string();
}

std::optional<Request> parse_train(const std::vector<std::string>& words) {
  const std::optional<Arguments> arguments = train_line().parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  TrainRequest request;
  request.coordinator = {
      arguments->text("<coordinator_ip>"),
      static_cast<std::uint16_t>(arguments->integer("<coordinator_port>", 1, 65'535))};
  request.folder = arguments->text("<dir>");
  request.rounds = static_cast<std::uint32_t>(arguments->integer("<rounds>", 1, kRoundsMax));
  request.rule.epochs = static_cast<std::uint32_t>(arguments->integer("<epochs>", 1, kEpochsMax));
  request.hidden = static_cast<std::uint32_t>(arguments->integer("<h>", 1, ml::kUnitsMax));
  request.rule.eta = arguments->real_above("<eta>", 0);
  request.rule.precision = arguments->choice("--precision", kPrecisions) == "double"
                               ? ml::Precision::kDouble
                               : ml::Precision::kFloat;
  request.rule.activation = arguments->choice("--activation", kActivations) == "ml-py"
                                ? ml::Activation::kMlPy
                                : ml::Activation::kRelu;
  request.rule.seed = arguments->integer("--seed", 0, kSeedMax);
  request.rule.min_loss_change = arguments->real("--min-loss-change", 0, HUGE_VAL);
  if (arguments->given("--classes")) {
    request.classes =
        static_cast<std::uint32_t>(arguments->integer("--classes", 1, formats::kClassesMax));
  }
  request.format = format_of(*arguments);
  request.timing = optional_text(*arguments, "--timing");
  request.output = optional_text(*arguments, "--output");
  request.init_from = optional_text(*arguments, "--init-from");
  request.job = arguments->given("--id") ? arguments->text("--id") : "job-" + random_id(8);
  return request;
}

Address coordinator_of(const Arguments& arguments) {
  if (!arguments.given("--coordinator") && arguments.text("--coordinator").empty()) {
    throw invalid_input("--coordinator HOST:PORT is missing (or GRADMILL_COORDINATOR)");
  }
  return arguments.address("--coordinator");
}

template <class R>
std::optional<Request> parse_job_verb(const std::string& verb,
                                      const std::string& purpose,
                                      const std::vector<std::string>& words) {
  // Read once, before any thread is started.
  const char* const environment =
      std::getenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe)
  CommandLine line("client job " + verb, purpose);
  line.positional("<id>", "id of the job")
      .option("--coordinator",
              "HOST:PORT",
              environment != nullptr ? environment : "",
              "the coordinator; GRADMILL_COORDINATOR if not given")
      .option("--format", "NAME", "text", "of the result: text or json");
  const std::optional<Arguments> arguments = line.parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  return R{coordinator_of(*arguments), arguments->text("<id>"), format_of(*arguments)};
}

std::optional<Request> parse_job(std::vector<std::string> words) {
  // Options may stand anywhere, so the verb is the first word that is none.
  const auto verb = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word == "follow" || word == "cancel";
  });
  if (verb == words.end()) {
    throw invalid_input("job: use client job follow ID or client job cancel ID");
  }
  const std::string name = *verb;
  words.erase(verb);
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
