// JSON on stdout.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace gradmill::client {

/// Writes `json` indented, and a line's end; bytes that are no UTF-8 are replaced.
void write_json(std::ostream& to, const nlohmann::ordered_json& json);
/// The text, or null if it is empty.
[[nodiscard]] nlohmann::ordered_json text_or_null(const std::string& text);
/// As write_json(), on one line.
void write_json_line(std::ostream& to, const nlohmann::ordered_json& json);

}  // namespace gradmill::client
