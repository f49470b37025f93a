#include "client/request/request.h"

#include <cctype>
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "client/request/fault_request.h"
#include "client/request/job_request.h"
#include "client/request/model_request.h"
#include "client/request/node_request.h"
#include "client/request/predict_request.h"
#include "client/request/training_options.h"
#include "client/request/training_reader.h"
#include "client/request/verb.h"
#include "formats/text.h"
#include "program/arguments.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

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
      "Other commands, with --coordinator HOST:PORT or GRADMILL_COORDINATOR; each has --help:\n" +
      verbs_text("job", job_verbs()) + verbs_text("model", model_verbs()) +
      verbs_text("node", node_verbs()) + verbs_text("fault", fault_verbs()) +
      "  client gc                             as client job gc\n"
      "  client predict MODEL                  classes of rows, by a trained model\n"
      "\n"
      "ID may be latest: the newest job.\n"
      "\n"
      "Exit codes: 0 succeeded, 1 the job failed, 2 usage or bad input, 3 cancelled,\n"
      "4 coordinator unreachable, 5 not allowed, 6 no such job, model, node or file,\n"
      "130 detached by Ctrl-C.\n");
  return line;
}

std::optional<Request> parse_train(const Words& words) {
  const std::optional<Arguments> arguments = train_line().parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  TrainRequest request = read_training_options(*arguments);
  request.coordinator = {
      arguments->host("<coordinator_ip>"),
      static_cast<std::uint16_t>(arguments->integer("<coordinator_port>", 1, 65'535))};
  request.folder = arguments->text("<dir>");
  return request;
}

/// The words without the one at `index`.
Words without(const Words& words, std::size_t index) {
  Words rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(index));
  return rest;
}

/// The positional form has a port behind its first word. Nothing or a word there, and not all that
/// the form needs behind that, is a noun that there is not.
bool is_unknown_noun(const Words& words, std::size_t noun) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "--version") {
      return false;
    }
  }
  const std::size_t verb = plain_word(words, noun + 1);
  if (verb == words.size()) {
    return true;
  }
  const bool is_word =
      !words[verb].empty() && std::isalpha(static_cast<unsigned char>(words[verb].front())) != 0;
  return is_word && plain_word(words, plain_word(words, verb + 1) + 1) == words.size();
}

}  // namespace

std::optional<Request> parse_request(const Words& words) {
  const std::size_t noun = plain_word(words);
  if (noun == words.size()) {
    return parse_train(words);
  }
  const std::string& name = words[noun];
  if (name == "job") {
    return parse_verb(name, job_verbs(), without(words, noun));
  }
  if (name == "model") {
    return parse_verb(name, model_verbs(), without(words, noun));
  }
  if (name == "node") {
    return parse_verb(name, node_verbs(), without(words, noun));
  }
  if (name == "fault") {
    return parse_verb(name, fault_verbs(), without(words, noun));
  }
  if (name == "predict") {
    return parse_predict(without(words, noun));
  }
  if (name == "gc") {
    return parse_collect_garbage(without(words, noun));
  }
  if (is_unknown_noun(words, noun)) {
    throw invalid_input(
        formats::in_quotes(name) +
        " is none of job, model, node, fault, gc, predict and <coordinator_ip>; see client --help");
  }
  return parse_train(words);
}

}  // namespace gradmill::client
