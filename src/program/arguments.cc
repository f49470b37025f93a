#include "program/arguments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <sstream>
#include <utility>

#include <boost/program_options.hpp>

#include "base/error.h"
#include "base/number.h"
#include "program/completion.h"

namespace gradmill::program {
namespace {

namespace po = boost::program_options;

/// `text` as it may stand in a one-line message.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(),
      text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      '?');
  return text;
}

[[noreturn]] void refuse(const std::string& name,
                         const std::string& value,
                         const std::string& wanted) {
  throw invalid_input(name + ": " + quoted(value) + " is not " + wanted);
}

/// What stands between the commas.
std::vector<std::string> split(const std::string& value) {
  std::vector<std::string> elements;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    elements.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return elements;
}

template <class T>
void add_once(std::vector<T>& list, T value, const std::string& name, const std::string& text) {
  if (std::find(list.begin(), list.end(), value) != list.end()) {
    throw invalid_input(name + ": " + quoted(text) + " is there twice");
  }
  list.push_back(std::move(value));
}

std::string number_text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

template <class T>
T whole_number(const std::string& name, const std::string& value, T least, T most) {
  const std::optional<T> number = parse_integer<T>(value);
  if (!number || *number < least || *number > most) {
    refuse(name,
           value,
           "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

// The library's texts put values where a word of the line has their placeholders, and never end.
void check_names(const std::vector<std::string>& words, const std::string& program) {
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--") && name.find('%') != std::string::npos) {
      throw invalid_input("unrecognised option " + quoted(name) + "; see " + program + " --help");
    }
  }
}

/// The library's text, unless it might not end.
std::string text_of(const po::error& error, const std::vector<std::string>& words) {
  const auto unsafe = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("--") && word.find('%') != std::string::npos;
  });
  return unsafe == words.end() ? printable(error.what()) : "cannot understand " + quoted(*unsafe);
}

}  // namespace

std::string quoted(const std::string& value) {
  constexpr std::size_t kShown = 60;
  return "'" + printable(value.substr(0, kShown)) + (value.size() > kShown ? "...'" : "'");
}

const std::string& Arguments::text(const std::string& name) const {
  const std::string& value = values_.at(name);
  if (value.empty() && given(name)) {
    throw invalid_input(name + ": is empty");
  }
  return value;
}

bool Arguments::has(const std::string& name) const {
  const auto value = values_.find(name);
  return value != values_.end() && !value->second.empty();
}

std::uint64_t Arguments::integer(const std::string& name,
                                 std::uint64_t least,
                                 std::uint64_t most) const {
  return whole_number(name, values_.at(name), least, most);
}

std::int64_t Arguments::signed_integer(const std::string& name,
                                       std::int64_t least,
                                       std::int64_t most) const {
  return whole_number(name, values_.at(name), least, most);
}

std::vector<std::uint64_t> Arguments::integers(const std::string& name,
                                               std::uint64_t least,
                                               std::uint64_t most,
                                               std::size_t count_most) const {
  const std::string& value = values_.at(name);
  const auto commas = static_cast<std::size_t>(std::count(value.begin(), value.end(), ','));
  const auto refuse_list = [&] {
    refuse(name,
           value,
           "a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
               ", or up to " + std::to_string(count_most) + " of them with commas between");
  };
  if (commas >= count_most) {
    refuse_list();
  }
  std::vector<std::uint64_t> numbers;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    const auto number =
        parse_integer<std::uint64_t>(std::string_view(value).substr(begin, end - begin));
    if (!number || *number < least || *number > most) {
      refuse_list();
    }
    numbers.push_back(*number);
    begin = end + 1;
  }
  return numbers;
}

double Arguments::real(const std::string& name, double least, double most) const {
  const std::string& value = values_.at(name);
  const std::optional<double> number = parse_real<double>(value);
  if (!number || *number < least || *number > most) {
    refuse(name,
           value,
           most == HUGE_VAL ? "a number of at least " + number_text(least)
                            : "a number from " + number_text(least) + " to " + number_text(most));
  }
  return *number;
}

double Arguments::real_above(const std::string& name, double bound) const {
  const std::string& value = values_.at(name);
  const std::optional<double> number = parse_real<double>(value);
  if (!number || *number <= bound) {
    refuse(name, value, "a number above " + number_text(bound));
  }
  return *number;
}

double Arguments::fraction(const std::string& name) const {
  const std::string& value = values_.at(name);
  const std::optional<double> number = parse_real<double>(value);
  if (!number || *number < 0 || *number >= 1) {
    refuse(name, value, "a number of at least 0 and below 1");
  }
  return *number;
}

std::chrono::milliseconds Arguments::duration(const std::string& name) const {
  static constexpr std::array<std::pair<std::string_view, double>, 3> kUnits = {
      {{"ms", 1.0}, {"s", 1000.0}, {"min", 60'000.0}}};
  constexpr double kMost = 1e12;  // some 30 years, in ms
  const std::string& value = values_.at(name);
  for (const auto& [unit, factor] : kUnits) {
    if (!value.ends_with(unit)) {
      continue;
    }
    const std::string_view digits = std::string_view(value).substr(0, value.size() - unit.size());
    const std::optional<double> number = parse_real<double>(digits);
    if (number && *number * factor > kMost) {
      throw invalid_input(name + ": " + quoted(value) + " is too long; the longest is 16666666min");
    }
    if (number && *number >= 0) {
      return std::chrono::milliseconds(std::llround(*number * factor));
    }
  }
  refuse(name, value, "a duration such as 50ms, 3s or 2min");
}

const std::string& Arguments::choice(const std::string& name,
                                     std::span<const std::string_view> choices) const {
  const std::string& value = values_.at(name);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return value;
  }
  std::string wanted;
  for (const std::string_view one : choices) {
    wanted += (wanted.empty() ? "" : " or ") + std::string(one);
  }
  refuse(name, value, wanted);
}

std::string Arguments::host(const std::string& name) const {
  return std::string(without_brackets(text(name)));
}

Address Arguments::address(const std::string& name, const std::string& wanted) const {
  const std::string& value = values_.at(name);
  if (const std::optional<Address> address = parse_address(value)) {
    return *address;
  }
  refuse(name, value, wanted);
}

Address Arguments::address(const std::string& name, std::uint16_t port) const {
  const std::string& value = text(name);
  const bool has_brackets = without_brackets(value) != value;
  if (has_brackets || value.find(':') == std::string::npos) {
    return {std::string(without_brackets(value)), port};
  }
  // Without brackets nothing tells a port from the end of an IPv6 address.
  const bool is_ambiguous = value.front() != '[' && value.find(':') != value.rfind(':');
  const std::optional<Address> address = parse_address(value);
  if (!address || is_ambiguous) {
    refuse(name, value, std::string("HOST or HOST:PORT") + (is_ambiguous ? "; write [IPV6]" : ""));
  }
  return *address;
}

std::vector<std::string> Arguments::names(const std::string& name) const {
  const std::string& value = values_.at(name);
  std::vector<std::string> list;
  for (const std::string& element : split(value)) {
    if (element.empty() || printable(element) != element) {
      refuse(name, value, "one or more names with commas between");
    }
    add_once(list, element, name, element);
  }
  return list;
}

std::vector<Address> Arguments::addresses(const std::string& name) const {
  std::vector<Address> list;
  for (const std::string& element : split(values_.at(name))) {
    const std::optional<Address> address = parse_address(element);
    if (!address) {
      refuse(name, element, "HOST:PORT");
    }
    add_once(list, *address, name, element);
  }
  return list;
}

CommandLine::CommandLine(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {
  flag("--help", "show this and exit");
  flag("--version", "show the version and exit");
}

CommandLine& CommandLine::positional(const std::string& name, const std::string& help) {
  positionals_.push_back({name, name, std::nullopt, help, "", {}});
  option_is_last_ = false;
  required_ = positionals_.size();
  return *this;
}

CommandLine& CommandLine::optional_positional(const std::string& name, const std::string& help) {
  positionals_.push_back({name, name, std::nullopt, help, "", {}});
  option_is_last_ = false;
  return *this;
}

CommandLine& CommandLine::group(const std::string& heading) {
  group_ = heading;
  return *this;
}

CommandLine& CommandLine::option(const std::string& name,
                                 const std::string& value,
                                 std::optional<std::string> fallback,
                                 const std::string& help) {
  options_.push_back({name, value, std::move(fallback), help, group_, {}});
  option_is_last_ = true;
  return *this;
}

CommandLine& CommandLine::values(std::span<const std::string_view> names) {
  Option& last = option_is_last_ ? options_.back() : positionals_.back();
  last.values.assign(names.begin(), names.end());
  return *this;
}

CommandLine& CommandLine::flag(const std::string& name, const std::string& help) {
  options_.push_back({name, "", std::nullopt, help, group_, {}});
  option_is_last_ = true;
  return *this;
}

CommandLine& CommandLine::epilogue(const std::string& text) {
  epilogue_ = text;
  return *this;
}

std::optional<Arguments> CommandLine::parse(const std::vector<std::string>& words) const {
  answer_completion(words);
  po::options_description accepted;
  for (const Option& option : options_) {
    const std::string name = option.name.substr(2);
    if (option.value.empty()) {
      accepted.add_options()(name.c_str(), "");
    } else {
      accepted.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
  accepted.add_options()("positional", po::value<std::vector<std::string>>(), "");
  po::positional_options_description everything;
  everything.add("positional", -1);
  // Without short options, so that -1 where a number belongs is a bad number, and without guessing,
  // so that a script does not break when an option is added.
  constexpr int kStyle = po::command_line_style::allow_long |
                         po::command_line_style::long_allow_next |
                         po::command_line_style::long_allow_adjacent;
  check_names(words, program_);
  po::variables_map parsed;
  try {
    po::store(
        po::command_line_parser(words).options(accepted).positional(everything).style(kStyle).run(),
        parsed);
  } catch (const po::error& error) {
    throw invalid_input(text_of(error, words) + "; see " + program_ + " --help");
  }
  if (parsed.count("help") > 0) {
    std::cout << help();
    return std::nullopt;
  }
  if (parsed.count("version") > 0) {
    std::cout << program_ << ' ' << GRADMILL_VERSION << '\n';
    return std::nullopt;
  }
  Arguments arguments;
  std::vector<std::string> values;
  if (parsed.count("positional") > 0) {
    values = parsed["positional"].as<std::vector<std::string>>();
  }
  if (values.size() > positionals_.size()) {
    throw invalid_input("unexpected argument " + quoted(values[positionals_.size()]) + "; see " +
                        program_ + " --help");
  }
  for (std::size_t n = 0; n < positionals_.size(); ++n) {
    if (n >= values.size()) {
      if (n < required_) {
        throw invalid_input(positionals_[n].name + " is missing; see " + program_ + " --help");
      }
      break;
    }
    arguments.values_[positionals_[n].name] = values[n];
    arguments.given_[positionals_[n].name] = true;
  }
  for (const Option& option : options_) {
    const std::string name = option.name.substr(2);
    if (parsed.count(name) > 0) {
      arguments.given_[option.name] = true;
    }
    if (!option.value.empty()) {
      arguments.values_[option.name] =
          parsed.count(name) > 0 ? parsed[name].as<std::string>() : option.fallback.value_or("");
    }
  }
  return arguments;
}

std::string CommandLine::help() const {
  std::ostringstream text;
  text << "usage: " << program_;
  std::size_t width = 0;
  for (std::size_t n = 0; n < positionals_.size(); ++n) {
    text << (n == required_ ? " [" : " ") << positionals_[n].name;
    width = std::max(width, positionals_[n].name.size());
  }
  text << (required_ < positionals_.size() ? "]" : "");
  const auto left = [](const Option& one) {
    return one.value.empty() ? one.name : one.name + ' ' + one.value;
  };
  for (const Option& one : options_) {
    width = std::max(width, left(one).size());
  }
  text << " [options]\n\n" << purpose_ << "\n\n";
  const auto line = [&](const std::string& what, const std::string& help) {
    text << "  " << what << std::string(width + 2 - what.size(), ' ') << help << '\n';
  };
  for (const Option& one : positionals_) {
    line(one.name, one.help);
  }
  text << (positionals_.empty() ? "" : "\n");
  std::string group;
  for (const Option& one : options_) {
    if (one.group != group) {
      group = one.group;
      text << '\n' << group << ":\n";
    }
    line(left(one),
         one.help + (one.fallback.value_or("").empty() ? "" : " (default " + *one.fallback + ")"));
  }
  text << (epilogue_.empty() ? "" : "\n" + epilogue_);
  return text.str();
}

}  // namespace gradmill::program
