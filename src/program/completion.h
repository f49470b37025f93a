// What a shell completes command lines with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "program/arguments.h"

namespace gradmill::program {

/// The word that asks for this instead of the program's work; BEGINNING follows.
inline constexpr std::string_view kCompleteOption = "--complete=";

/// What may stand at the cursor of a shell. CommandLine::parse() throws it, so that it passes
/// through whatever reads a command line; run_program() answers it.
struct Completion {
  std::string prefix;     ///< What the word has before the value: `--format=`, or nothing.
  std::string beginning;  ///< Of the value, or of the name of an option.
  std::string wanted;     ///< Whose value: `--format`, `<id>`; empty: an option's name.
  std::vector<std::string> values;  ///< Those known to the command line, whatever they begin with.
  bool is_file = false;             ///< Names of files may stand there.
  Arguments arguments;              ///< What the words before the cursor say, unchecked.
};

/// A word a line: of `values` those that begin as asked, and need no quotes in a shell.
[[nodiscard]] std::string candidates(const Completion& asked,
                                     const std::vector<std::string>& values);

/// What a shell gets: a line `words` or `files`, and the candidates that the command line knows.
[[nodiscard]] std::string shell_answer(const Completion& asked);

}  // namespace gradmill::program
