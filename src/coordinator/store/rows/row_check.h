// How rows of the state folder's database are made and checked.
#pragma once

#include <bit>
#include <optional>
#include <string>
#include <string_view>

#include <soci/soci.h>

#include "base/checksum.h"
#include "coordinator/store/rows/sqlite_session.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// How the text of a node's row begins if it was taken out by hand; its incarnation follows.
inline constexpr std::string_view kTakenOut = "taken-out ";

/// Of a row: its table, key and text, so that a text in another's row shows too.
inline long long sum_of(const std::string& table, const std::string& key, const std::string& text) {
  return std::bit_cast<long long>(checksum(table + '\n' + key + '\n' + text));
}

inline std::string key_of(long long job, long long number) {
  return std::to_string(job) + ' ' + std::to_string(number);
}

inline void require_sum(long long sum, long long expected, const std::string& table) {
  if (sum != expected) {
    throw Damage("a row of its table " + table + " is damaged");
  }
}

/// Runs `work`; what the database throws becomes one of our errors (see rethrow_sqlite()).
template <class Work>
auto translated(Work work) {
  try {
    return work();
  } catch (const soci::soci_error&) {
    rethrow_sqlite();
  }
}

/// The value of a row's text, or nothing if it is not what its checksum says.
template <class Parse>
auto checked(long long sum, long long expected, const std::string& text, Parse parse)
    -> std::optional<decltype(parse(text))> {
  if (sum != expected) {
    return std::nullopt;
  }
  try {
    return parse(text);
  } catch (const Damage&) {
    return std::nullopt;
  }
}

}  // namespace gradmill::coordinator
