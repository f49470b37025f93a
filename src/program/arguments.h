// Command lines: positional arguments, options, and values that are checked strictly.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace gradmill::program {

/// The beginning of what the user wrote, in quotes, fit for one line of a terminal.
[[nodiscard]] std::string quoted(const std::string& value);

/// A parsed command line. Getters take the name of a positional argument (`<port>`) or an option
/// (`--seed`), and throw Error(kInvalidInput) that names it, its value and what is allowed.
class Arguments {
 public:
  /// Whether the user gave it, as opposed to its default.
  [[nodiscard]] bool given(const std::string& name) const { return given_.contains(name); }
  [[nodiscard]] bool flag(const std::string& name) const { return given(name); }
  /// Whether it is there, given or by default.
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] const std::string& text(const std::string& name) const;
  [[nodiscard]] std::uint64_t integer(const std::string& name,
                                      std::uint64_t least,
                                      std::uint64_t most) const;
  [[nodiscard]] std::int64_t signed_integer(const std::string& name,
                                            std::int64_t least,
                                            std::int64_t most) const;
  /// Whole numbers with commas between, at most `count_most` of them.
  [[nodiscard]] std::vector<std::uint64_t> integers(const std::string& name,
                                                    std::uint64_t least,
                                                    std::uint64_t most,
                                                    std::size_t count_most) const;
  [[nodiscard]] double real(const std::string& name, double least, double most) const;
  /// As real(), but above `bound` rather than at least it.
  [[nodiscard]] double real_above(const std::string& name, double bound) const;
  /// A number of at least 0 and below 1.
  [[nodiscard]] double fraction(const std::string& name) const;
  /// A number with ms, s or min.
  [[nodiscard]] std::chrono::milliseconds duration(const std::string& name) const;
  /// One of `choices`.
  [[nodiscard]] const std::string& choice(const std::string& name,
                                          std::span<const std::string_view> choices) const;
  /// A host alone; an IPv6 address may have brackets around it.
  [[nodiscard]] std::string host(const std::string& name) const;
  /// HOST:PORT, see parse_address(); `wanted` is what the error says that is allowed.
  [[nodiscard]] Address address(const std::string& name,
                                const std::string& wanted = "HOST:PORT") const;
  /// HOST or HOST:PORT; `port` if there is none. An IPv6 address must have brackets.
  [[nodiscard]] Address address(const std::string& name, std::uint16_t port) const;
  /// One or more different words with commas between.
  [[nodiscard]] std::vector<std::string> names(const std::string& name) const;
  /// One or more different HOST:PORT with commas between.
  [[nodiscard]] std::vector<Address> addresses(const std::string& name) const;

 private:
  friend class CommandLine;
  std::map<std::string, std::string> values_;
  std::map<std::string, bool> given_;
};

struct Completion;

/// What a program accepts. Built once, then parse(); not thread-safe.
class CommandLine {
 public:
  /// `purpose` is one sentence for the help.
  CommandLine(std::string program, std::string purpose);

  /// A required positional argument, in order; `name` is written <name>.
  CommandLine& positional(const std::string& name, const std::string& help);
  /// A positional argument that may be left out, with all that follow it.
  CommandLine& optional_positional(const std::string& name, const std::string& help);
  /// The options added from here on stand below this heading in the help.
  CommandLine& group(const std::string& heading);
  /// An option --name VALUE; no default if `fallback` is absent.
  CommandLine& option(const std::string& name,
                      const std::string& value,
                      std::optional<std::string> fallback,
                      const std::string& help);
  /// Values that what was added last may have, for completion; there may be others, too.
  CommandLine& values(std::span<const std::string_view> names);
  /// An option without a value.
  CommandLine& flag(const std::string& name, const std::string& help);
  /// Text below the options in the help.
  CommandLine& epilogue(const std::string& text);

  /// Reads the words after the program's name. Nothing if --help or --version was asked for, which
  /// it then printed on stdout. Throws Error(kInvalidInput) for missing, unknown or repeated ones,
  /// and Completion if a word is --complete=BEGINNING; the other words are then those before the
  /// cursor.
  [[nodiscard]] std::optional<Arguments> parse(const std::vector<std::string>& words) const;
  [[nodiscard]] std::string help() const;

 private:
  struct Option {
    std::string name;
    std::string value;  // empty: a flag
    std::optional<std::string> fallback;
    std::string help;
    std::string group;
    std::vector<std::string> values;  // known ones
  };
  struct Before;

  /// Throws Completion if the words ask for it.
  void answer_completion(const std::vector<std::string>& words) const;
  [[nodiscard]] const Option* option_called(const std::string& name) const;
  [[nodiscard]] Before read(const std::vector<std::string>& words) const;
  [[nodiscard]] Completion completion(const std::vector<std::string>& words,
                                      const std::string& cursor) const;

  std::string program_;
  std::string purpose_;
  std::vector<Option> positionals_;
  std::size_t required_ = 0;  // positionals_ that cannot be left out
  std::vector<Option> options_;
  bool option_is_last_ = false;  // added after all of positionals_
  std::string group_;
  std::string epilogue_;
};

}  // namespace gradmill::program
