#include "formats/strict_json.h"

#include <cstddef>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

using nlohmann::json;

// Bounds what a small but dense text can make the parser allocate.
constexpr std::size_t kValuesMax = 100'000;
constexpr std::size_t kDepthMax = 3;  // File, tensor, shape.

/// Watches a text while it is parsed: refuses what JSON leaves open (a key twice) and what costs
/// too much.
class Guard {
 public:
  explicit Guard(const std::string& what) : what_(what) {}

  void see(json::parse_event_t event, const json& parsed) {
    if (++values_ > kValuesMax) {
      throw invalid_input(what_ + " has too many values");
    }
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        keys_.emplace_back();
        if (keys_.size() > kDepthMax) {
          throw invalid_input(what_ + " is nested too deeply");
        }
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second) {
          throw invalid_input(what_ + " has " + in_quotes(parsed.get_ref<const std::string&>()) +
                              " twice");
        }
        break;
      case json::parse_event_t::value:
        break;
    }
  }

 private:
  const std::string& what_;
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;  ///< Of each open object; empty for an array.
};

}  // namespace

json parse_strict_json(std::string_view text, const std::string& what) {
  // The parser takes a NUL for the end and would not look at what follows.
  if (!text.starts_with('{') || text.find('\0') != std::string_view::npos) {
    throw invalid_input(what + " is not JSON");
  }
  Guard guard(what);
  const auto watch = [&guard](int /*depth*/, json::parse_event_t event, const json& parsed) {
    guard.see(event, parsed);
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    throw invalid_input(what + " is not JSON from byte " + std::to_string(error.byte));
  } catch (const json::exception&) {
    throw invalid_input(what + " is not JSON");
  }
}

std::map<std::string, std::string> strings_of(const json& object, const std::string& what) {
  std::map<std::string, std::string> result;
  if (!object.is_object()) {
    throw invalid_input(what + " is no object");
  }
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      throw invalid_input(what + ' ' + in_quotes(key) + " is no string");
    }
    result.emplace(key, value.get<std::string>());
  }
  return result;
}

}  // namespace gradmill::formats
