#include "client/report/text.h"

#include <cstddef>
#include <ctime>

namespace gradmill::client {

std::string time_text(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  if (seconds < kMinute) {
    return printed("%.0f s", seconds);
  }
  if (seconds < kHour) {
    return printed("%.0f min", seconds / kMinute);
  }
  if (seconds < kDay) {
    return printed("%.1f h", seconds / kHour);
  }
  return printed("%.1f d", seconds / kDay);
}

std::string duration_text(double seconds) {
  static constexpr std::array<const char*, 3> kUnits = {"ns", "us", "ms"};
  double value = seconds * 1e9;
  for (const char* const unit : kUnits) {
    // What would be printed as 1000 belongs to the next unit.
    if (value < 999.5) {
      const int digits = unit == kUnits.front() || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
      return printed("%.*f %s", digits, value, unit);
    }
    value /= 1000;
  }
  return printed("%.*f s", value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value);
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // What would be printed as 1000.0 belongs to the next unit.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return printed("%.1f %s", value, kUnits[unit]);
}

std::string local_time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) {
    return "?";
  }
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string utc_time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) {
    return "?";
  }
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return std::string(text.data(), length) + printed(".%03dZ", static_cast<int>(ms % 1000));
}

}  // namespace gradmill::client
