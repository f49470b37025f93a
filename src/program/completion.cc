#include "program/completion.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

namespace gradmill::program {
namespace {

/// Whether a shell takes the word as it is. Names come from other users, too.
bool is_plain(const std::string& word) {
  constexpr std::string_view kPlain = "%+,-./:=@_";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos;
  });
}

bool is_file_name(const std::string& placeholder) {
  return placeholder == "FILE" || placeholder == "DIR" || placeholder == "<file>" ||
         placeholder == "<dir>";
}

}  // namespace

std::string candidates(const Completion& asked, const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) {
    if (value.starts_with(asked.beginning) && is_plain(value)) {
      lines += asked.prefix + value + '\n';
    }
  }
  return lines;
}

std::string shell_answer(const Completion& asked) {
  return (asked.is_file ? "files\n" : "words\n") + candidates(asked, asked.values);
}

/// The words before the cursor.
struct CommandLine::Before {
  Arguments arguments;
  const Option* open = nullptr;  ///< The option whose value comes next.
  std::size_t positionals = 0;
};

const CommandLine::Option* CommandLine::option_called(const std::string& name) const {
  const auto at = std::find_if(
      options_.begin(), options_.end(), [&](const Option& one) { return one.name == name; });
  return at == options_.end() ? nullptr : &*at;
}

CommandLine::Before CommandLine::read(const std::vector<std::string>& words) const {
  Before before;
  for (const Option& one : options_) {
    if (!one.value.empty()) {
      before.arguments.values_[one.name] = one.fallback.value_or("");
    }
  }
  for (const std::string& word : words) {
    if (before.open != nullptr) {
      before.arguments.values_[before.open->name] = word;
      before.open = nullptr;
    } else if (word.starts_with("--")) {
      const std::size_t equals = word.find('=');
      const Option* const option = option_called(word.substr(0, equals));
      if (option == nullptr) {
        continue;
      }
      before.arguments.given_[option->name] = true;
      if (!option->value.empty() && equals != std::string::npos) {
        before.arguments.values_[option->name] = word.substr(equals + 1);
      } else if (!option->value.empty()) {
        before.open = option;
      }
    } else {
      if (before.positionals < positionals_.size()) {
        before.arguments.values_[positionals_[before.positionals].name] = word;
      }
      ++before.positionals;
    }
  }
  return before;
}

Completion CommandLine::completion(const std::vector<std::string>& words,
                                   const std::string& cursor) const {
  Before before = read(words);
  const std::size_t equals = cursor.starts_with("--") ? cursor.find('=') : std::string::npos;
  Completion asked;
  asked.beginning = cursor;
  const Option* wanted = before.open;
  if (wanted == nullptr && equals != std::string::npos) {
    asked.prefix = cursor.substr(0, equals + 1);
    asked.beginning = cursor.substr(equals + 1);
    wanted = option_called(cursor.substr(0, equals));
  } else if (wanted == nullptr && !cursor.starts_with('-') &&
             before.positionals < positionals_.size()) {
    wanted = &positionals_[before.positionals];
  } else if (wanted == nullptr) {
    for (const Option& one : options_) {
      if (!before.arguments.given(one.name)) {
        asked.values.push_back(one.name);
      }
    }
  }
  if (wanted != nullptr) {
    asked.wanted = wanted->name;
    asked.values = wanted->values;
    asked.is_file = is_file_name(wanted->value);
  }
  asked.arguments = std::move(before.arguments);
  return asked;
}

void CommandLine::answer_completion(const std::vector<std::string>& words) const {
  const auto asking = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with(kCompleteOption);
  });
  if (asking != words.end()) {
    std::vector<std::string> before(words.begin(), asking);
    before.insert(before.end(), asking + 1, words.end());
    throw completion(before, asking->substr(kCompleteOption.size()));
  }
}

}  // namespace gradmill::program
