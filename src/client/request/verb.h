// Commands of two words: a noun and what to do with it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/request/request.h"
#include "program/arguments.h"

namespace gradmill::client {

/// What can be done with a noun.
struct Verb {
  using Parse = std::optional<Request> (*)(const std::vector<std::string>& words);

  std::string_view name;
  std::string_view alias;     ///< A second name; empty: none.
  std::string_view synopsis;  ///< What follows the noun: "follow ID".
  std::string_view purpose;   ///< A few words for lists of verbs.
  Parse parse;                ///< Reads the words without noun and verb.
};

/// The names, without the second ones.
[[nodiscard]] std::vector<std::string_view> names_of(std::span<const Verb> verbs);

/// The index of the first word from `from` on that is neither an option nor the value of one;
/// words.size() if there is none. Options may stand anywhere, so nouns and verbs are found by this.
[[nodiscard]] std::size_t plain_word(const std::vector<std::string>& words, std::size_t from = 0);

/// Reads the words without the noun: finds the verb and lets it read the others. Nothing if help
/// was asked for. Throws Error(kInvalidInput); an unknown verb is met with those there are.
[[nodiscard]] std::optional<Request> parse_verb(const std::string& noun,
                                                std::span<const Verb> verbs,
                                                const std::vector<std::string>& words);

/// Lets `line` answer words that only ask, for help, the version or completion, and so need no
/// verb. Others lack one: throws Error(kInvalidInput, `missing`).
std::nullopt_t answer(program::CommandLine line,
                      std::span<const Verb> verbs,
                      const std::vector<std::string>& words,
                      const std::string& missing);

/// A line a verb, for help texts; `noun` may be empty.
[[nodiscard]] std::string verbs_text(const std::string& noun, std::span<const Verb> verbs);

}  // namespace gradmill::client
