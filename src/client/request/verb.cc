#include "client/request/verb.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "formats/text.h"
#include "program/completion.h"

namespace gradmill::client {
namespace {

// Any other option takes a value, in a word of its own unless the option holds a '='.
constexpr std::array<std::string_view, 12> kFlags = {"--help",
                                                     "--version",
                                                     "--no-wait",
                                                     "--standardize",
                                                     "--dry-run",
                                                     "--follow",
                                                     "--force",
                                                     "--yes",
                                                     "--labelled",
                                                     "--profile",
                                                     "--explain",
                                                     "--tasks"};

std::string listed(std::span<const Verb> verbs) {
  std::string names;
  for (const Verb& verb : verbs) {
    names += (names.empty() ? "" : ", ") + std::string(verb.name);
  }
  return names;
}

std::optional<Request> parse_bare(const std::string& noun,
                                  std::span<const Verb> verbs,
                                  const std::vector<std::string>& words) {
  program::CommandLine line("client " + noun, "What can be done with a " + noun + ":");
  line.epilogue(verbs_text(noun, verbs));
  return answer(
      line,
      verbs,
      words,
      noun + ": what to do is missing: " + listed(verbs) + "; see client " + noun + " --help");
}

}  // namespace

std::vector<std::string_view> names_of(std::span<const Verb> verbs) {
  std::vector<std::string_view> names;
  names.reserve(verbs.size());
  for (const Verb& verb : verbs) {
    names.push_back(verb.name);
  }
  return names;
}

std::size_t plain_word(const std::vector<std::string>& words, std::size_t from) {
  while (from < words.size() && words[from].starts_with("--")) {
    const std::string& option = words[from];
    const bool alone = option.find('=') != std::string::npos ||
                       std::find(kFlags.begin(), kFlags.end(), option) != kFlags.end();
    from += alone ? 1 : 2;
  }
  return std::min(from, words.size());
}

std::optional<Request> parse_verb(const std::string& noun,
                                  std::span<const Verb> verbs,
                                  const std::vector<std::string>& words) {
  const std::size_t at = plain_word(words);
  if (at == words.size()) {
    return parse_bare(noun, verbs, words);
  }
  const std::string& name = words[at];
  const auto verb = std::find_if(verbs.begin(), verbs.end(), [&](const Verb& one) {
    return one.name == name || (!one.alias.empty() && one.alias == name);
  });
  if (verb == verbs.end()) {
    throw invalid_input(noun + ": " + formats::in_quotes(name) + " is none of " + listed(verbs) +
                        "; see client " + noun + " --help");
  }
  std::vector<std::string> rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  return verb->parse(rest);
}

std::nullopt_t answer(program::CommandLine line,
                      std::span<const Verb> verbs,
                      const std::vector<std::string>& words,
                      const std::string& missing) {
  const auto question = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word == "--help" || word == "--version" || word.starts_with(program::kCompleteOption);
  });
  if (question == words.end()) {
    throw invalid_input(missing);
  }
  line.positional("<verb>", "see below").values(names_of(verbs));
  static_cast<void>(line.parse({*question}));
  return std::nullopt;
}

std::string verbs_text(const std::string& noun, std::span<const Verb> verbs) {
  constexpr std::size_t kWidth = 40;
  std::string text;
  for (const Verb& verb : verbs) {
    std::string left = "  client " + noun + (noun.empty() ? "" : " ") + std::string(verb.synopsis);
    left.resize(std::max(left.size() + 2, kWidth), ' ');
    text += left + std::string(verb.purpose);
    text += verb.alias.empty() ? "\n" : " (or " + std::string(verb.alias) + ")\n";
  }
  return text;
}

}  // namespace gradmill::client
