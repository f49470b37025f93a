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
void write_json_line(std::ostream& to, const ordered_json& json) { write(to, json, -1); }

}  // namespace gradmill::client
