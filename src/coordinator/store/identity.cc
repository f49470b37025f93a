#include "coordinator/store/identity.h"

#include <nlohmann/json.hpp>

#include "coordinator/store/texts/strict_json.h"

namespace gradmill::coordinator {

using nlohmann::json;

std::string text_of(const Identity& identity) {
  return json{
      {"format", identity.format}, {"coordinator", identity.coordinator}, {"epoch", identity.epoch}}
      .dump(-1, ' ', true, json::error_handler_t::replace);
}

Identity identity_of(std::string_view text) {
  try {
    const json object = json::parse(text);
    if (!object.is_object()) {
      throw Damage("no object");
    }
    const auto get = [&](const char* key, auto& value) {
      if (const auto found = object.find(key); found != object.end()) {
        get_exactly(*found, value);
      }
    };
    Identity identity;
    get("format", identity.format);
    get("coordinator", identity.coordinator);
    get("epoch", identity.epoch);
    return identity;
  } catch (const json::exception& error) {
    throw Damage(error.what());
  }
}

}  // namespace gradmill::coordinator
