#include "protocol/model_name.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include "base/error.h"
#include "protocol/model.h"

namespace gradmill {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kAliasBytesMax = 64;
constexpr std::size_t kQuotedBytesMax = 64;

/// The character at the beginning of `text` and its bytes; nothing if that is not UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};
std::optional<Character> first_character(std::string_view text) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return Character{lead, 1};
  }
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) {
    return std::nullopt;
  }
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t n = 1; n < bytes; ++n) {
    if ((byte(n) & 0xC0U) != 0x80) {
      return std::nullopt;
    }
    code = code << 6U | (byte(n) & 0x3FU);
  }
  const bool overlong = code < (bytes == 4 ? 0x10000U : bytes == 3 ? 0x800U : 0x80U);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (overlong || surrogate || code > 0x10FFFF) {
    return std::nullopt;
  }
  return Character{code, bytes};
}

/// Controls, line and paragraph separators, and what turns the direction of writing.
bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

/// What is wrong with a name; empty: nothing.
std::string fault_of_name(std::string_view name) {
  if (name.empty()) {
    return "is empty";
  }
  if (name.size() > kNameBytesMax) {
    return "has " + std::to_string(name.size()) + " bytes; at most " +
           std::to_string(kNameBytesMax) + " are allowed";
  }
  if (name == "." || name == "..") {
    return "stands for a folder";
  }
  if (name.front() == '-') {
    return "begins with '-', like an option";
  }
  while (!name.empty()) {
    const std::optional<Character> character = first_character(name);
    if (!character) {
      return "is no UTF-8";
    }
    if (is_control(character->code)) {
      return "has a control character";
    }
    if (name.front() == '/' || name.front() == '@') {
      return std::string("has a '") + name.front() + "'";
    }
    name.remove_prefix(character->bytes);
  }
  return "";
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string quoted_name(std::string_view name) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "'";
  while (!name.empty() && text.size() <= kQuotedBytesMax) {
    const std::optional<Character> character = first_character(name);
    const bool fine = character && !is_control(character->code);
    const std::size_t bytes = fine ? character->bytes : 1;
    if (fine) {
      text += name.substr(0, bytes);
    } else {
      const auto code = static_cast<unsigned char>(name.front());
      text += {'\\', 'x', kDigits[code >> 4U], kDigits[code & 15U]};
    }
    name.remove_prefix(bytes);
  }
  return text + (name.empty() ? "'" : "...'");
}

void check_model_name(std::string_view name) {
  if (const std::string fault = fault_of_name(name); !fault.empty()) {
    throw invalid_input("the model name " + quoted_name(name) + " " + fault);
  }
}

void check_model_alias(std::string_view alias) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (alias.empty() || alias.size() > kAliasBytesMax || is_number(alias) || alias.front() == '-' ||
      alias.front() == '.' || !std::all_of(alias.begin(), alias.end(), is_fine)) {
    throw invalid_input("the alias " + quoted_name(alias) +
                        " is not 1 to 64 letters, digits, '-', '_' or '.', or is a number or "
                        "begins with '-' or '.'");
  }
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const std::optional<Character> character = first_character(text);
    if (!character || is_control(character->code)) {
      return false;
    }
    text.remove_prefix(character->bytes);
  }
  return true;
}

ModelReference parse_model_reference(std::string_view text) {
  const std::size_t at = text.find('@');
  ModelReference reference;
  reference.model = text.substr(0, at);
  check_model_name(reference.model);
  if (at == std::string_view::npos) {
    reference.alias = kChampion;
    return reference;
  }
  const std::string_view rest = text.substr(at + 1);
  if (!is_number(rest)) {
    check_model_alias(rest);
    reference.alias = rest;
    return reference;
  }
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), reference.version);
  if (error != std::errc{} || end != rest.data() + rest.size() || reference.version == 0) {
    throw invalid_input("the version " + quoted_name(rest) + " of the model " +
                        quoted_name(reference.model) + " is not in 1..4294967295");
  }
  return reference;
}

std::string version_reference(const std::string& model, std::uint32_t version) {
  return model + '@' + std::to_string(version);
}

}  // namespace gradmill
