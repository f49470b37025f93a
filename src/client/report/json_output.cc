#include "client/report/json_output.h"

#include <ostream>

#include <nlohmann/json.hpp>

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

void write(std::ostream& to, const ordered_json& json, int indent) {
  to << json.dump(indent, ' ', false, ordered_json::error_handler_t::replace) << '\n' << std::flush;
}

}  // namespace

void write_json(std::ostream& to, const ordered_json& json) { write(to, json, 2); }
nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

void write_json_line(std::ostream& to, const ordered_json& json) { write(to, json, -1); }

}  // namespace gradmill::client
