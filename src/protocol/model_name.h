// What models, their aliases and references to their versions are called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradmill {

/// NAME, NAME@VERSION or NAME@ALIAS, taken apart.
struct ModelReference {
  std::string model;
  std::uint32_t version = 0;  ///< 0: that of `alias`.
  std::string alias;          ///< "champion" if the reference is a name alone; else may be empty.
};

/// 1 to 255 bytes of UTF-8 without '/', '@' and control characters; not '.' or '..', and not
/// beginning with '-'. Throws Error(kInvalidInput) with one line that names the name.
void check_model_name(std::string_view name);

/// 1 to 64 letters, digits, '-', '_' and '.', no number, and not beginning with '-' or '.'. Throws
/// likewise.
void check_model_alias(std::string_view alias);

/// Throws likewise.
[[nodiscard]] ModelReference parse_model_reference(std::string_view text);

/// NAME@VERSION, as parse_model_reference() reads it.
[[nodiscard]] std::string version_reference(const std::string& model, std::uint32_t version);

/// Whether it is UTF-8 without control characters.
[[nodiscard]] bool is_plain_text(std::string_view text);

/// A name for messages, safe whatever its bytes are: in single quotes, cut, everything but
/// printable characters escaped.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace gradmill
