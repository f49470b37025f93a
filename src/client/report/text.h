// Numbers, sizes and times as people and scripts read them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace gradmill::client {

/// What printf would print, cut to 255 bytes.
template <class... A>
[[nodiscard]] std::string printed(const char* format, A... values) {
  std::array<char, 256> text{};
  const int length = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 255))};
}

/// `seconds` rounded to a unit that suits: 3 s, 5 min, 1.5 h, 2.0 d.
[[nodiscard]] std::string time_text(double seconds);

/// `seconds` to three digits or so in a unit that suits: 17 ns, 1.25 us, 310 us, 12.4 ms, 3.00 s.
[[nodiscard]] std::string duration_text(double seconds);

/// 17 B, 1.2 kB, 3.4 MB: powers of 1000.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// YYYY-MM-DD HH:MM:SS in the local time zone. The functions of times take milliseconds since 1970.
[[nodiscard]] std::string local_time_text(std::int64_t ms);

/// YYYY-MM-DDTHH:MM:SS.mmmZ, as RFC 3339 has it.
[[nodiscard]] std::string utc_time_text(std::int64_t ms);

}  // namespace gradmill::client
