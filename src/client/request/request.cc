#include "client/request/request.h"

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

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
#include "program/completion.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

/// What the first word of a command may be.
struct Noun {
  std::string_view name;
  std::span<const Verb> (*verbs)();
};

constexpr std::array<Noun, 4> kNouns = {{
    {"job", job_verbs},
    {"model", model_verbs},
    {"node", node_verbs},
    {"fault", fault_verbs},
}};

/// Commands of one word.
constexpr std::array<Verb, 2> kLoneVerbs = {{
    {"gc", "", "gc", "as client job gc", parse_collect_garbage},
    {"predict", "", "predict MODEL", "classes of rows, by a trained model", parse_predict},
}};

std::vector<std::string_view> first_words() {
  std::vector<std::string_view> words;
  words.reserve(kNouns.size() + kLoneVerbs.size());
  for (const Noun& noun : kNouns) {
    words.push_back(noun.name);
  }
  for (const Verb& verb : kLoneVerbs) {
    words.push_back(verb.name);
  }
  return words;
}

std::string all_verbs_text() {
  std::string text;
  for (const Noun& noun : kNouns) {
    text += verbs_text(std::string(noun.name), noun.verbs());
  }
  return text + verbs_text("", kLoneVerbs);
}

CommandLine train_line() {
  CommandLine line("client", "Trains a perceptron on a folder of data and shows how well it does.");
  line.positional("<coordinator_ip>", "host of the coordinator")
      .values(first_words())
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
      all_verbs_text() +
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

/// The positional form has a port behind its first word. Nothing or a word there, and not all that
/// the form needs behind that, is a noun that there is not.
bool is_unknown_noun(const Words& words, std::size_t noun) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "--version" || word.starts_with(program::kCompleteOption)) {
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
  Words rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(noun));
  for (const Noun& one : kNouns) {
    if (one.name == name) {
      return parse_verb(name, one.verbs(), rest);
    }
  }
  for (const Verb& verb : kLoneVerbs) {
    if (verb.name == name) {
      return verb.parse(rest);
    }
  }
  if (is_unknown_noun(words, noun)) {
    std::string known;
    for (const std::string_view word : first_words()) {
      known += std::string(word) + ", ";
    }
    throw invalid_input(formats::in_quotes(name) + " is none of " + known +
                        "<coordinator_ip>; see client --help");
  }
  return parse_train(words);
}

}  // namespace gradmill::client
