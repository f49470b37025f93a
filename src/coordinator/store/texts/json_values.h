// The values that stored texts are made of, to JSON and back. The readers throw Damage.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/blob.h"
#include "base/error.h"
#include "coordinator/store/texts/stored_texts.h"
#include "coordinator/store/texts/strict_json.h"

namespace gradmill::coordinator {

inline std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// Reads a text by `read`; every way in which it can be wrong is damage.
template <class Read>
auto parsed(std::string_view text, Read read) {
  try {
    return read(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw Damage(error.what());
  } catch (const Error& error) {
    throw Damage(error.what());
  }
}

template <class T>
void get(const nlohmann::json& object, const char* key, T& value) {
  get_exactly(object.at(key), value);
}

/// JSON has no infinities; they are texts.
inline nlohmann::json number(double value) {
  if (std::isfinite(value)) {
    return value;
  }
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

inline double number_of(const nlohmann::json& value) {
  if (!value.is_string()) {
    double number = 0;
    get_exactly(value, number);
    return number;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text != "inf" && text != "-inf") {
    throw Damage("no number");
  }
  return text == "inf" ? std::numeric_limits<double>::infinity()
                       : -std::numeric_limits<double>::infinity();
}

inline void get_number(const nlohmann::json& object, const char* key, double& value) {
  value = number_of(object.at(key));
}

template <class E>
void get_named(const nlohmann::json& object,
               const char* key,
               std::span<const std::string_view> names,
               E& value) {
  const auto& text = object.at(key).get_ref<const std::string&>();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    throw Damage("unknown " + std::string(key));
  }
  value = static_cast<E>(found - names.begin());
}

inline unsigned nibble(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<unsigned>(digit - '0');
  }
  if (digit >= 'a' && digit <= 'f') {
    return static_cast<unsigned>(digit - 'a' + 10);
  }
  throw Damage("no digest");
}

inline Digest digest_of(const nlohmann::json& value) {
  const auto& hex = value.get_ref<const std::string&>();
  if (hex.size() != 2 * Digest::kBytes) {
    throw Damage("no digest");
  }
  Digest digest;
  for (std::size_t i = 0; i < Digest::kBytes; ++i) {
    digest.bytes.at(i) =
        static_cast<std::uint8_t>(nibble(hex[2 * i]) << 4U | nibble(hex[2 * i + 1]));
  }
  return digest;
}

inline nlohmann::json ref_json(const BlobRef& ref) {
  return nlohmann::json::array({ref.digest.hex(), ref.bytes});
}

inline BlobRef ref_of(const nlohmann::json& value) {
  BlobRef ref;
  ref.digest = digest_of(value.at(0));
  get_exactly(value.at(1), ref.bytes);
  return ref;
}

}  // namespace gradmill::coordinator
