// JSON of others, inside of model files.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace gradmill::formats {

/// The JSON object that all of `text` is. Throws Error(kInvalidInput) starting with `what`
/// ("m.npz: is not a model: its metadata") for anything else, and for what JSON leaves open or
/// costs too much: a key twice, nesting deeper than three, more than 100,000 values.
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text, const std::string& what);

/// The members of `object` as text. Throws as above unless it is an object of nothing but strings.
[[nodiscard]] std::map<std::string, std::string> strings_of(const nlohmann::json& object,
                                                            const std::string& what);

}  // namespace gradmill::formats
