// What the file `identity` of the state folder says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradmill::coordinator {

/// The newest format of state folders that this program knows.
inline constexpr std::uint64_t kStateFormat = 1;

/// Whose the folder is.
struct Identity {
  std::uint64_t format = kStateFormat;
  std::string coordinator;  ///< Random, as old as the folder; empty: not yet known.
  std::uint64_t epoch = 0;  ///< Of the last start.
};

/// JSON, pure ASCII.
[[nodiscard]] std::string text_of(const Identity& identity);
/// Throws Damage. What is absent is as in a new Identity, since later formats may leave things out.
[[nodiscard]] Identity identity_of(std::string_view text);

}  // namespace gradmill::coordinator
