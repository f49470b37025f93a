// How a job shares the nodes with others. No part of its specification: it changes no bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gradmill {

constexpr std::int32_t kPriorityMax = 100;  ///< And at least its negative.
constexpr std::uint32_t kWeightMax = 1000;

struct JobShare {
  std::int32_t priority = 0;  ///< Jobs of a higher one come first at each slot that falls free.
  std::uint32_t weight = 1;   ///< Shares of slot time go by it; at least 1.

  friend bool operator==(const JobShare&, const JobShare&) = default;
};

/// Whether both numbers are in their range.
[[nodiscard]] constexpr bool is_valid(const JobShare& share) {
  return share.priority >= -kPriorityMax && share.priority <= kPriorityMax && share.weight >= 1 &&
         share.weight <= kWeightMax;
}

/// Which nodes a job's tasks may go to.
enum class SchedulingMode {
  kGlobal,  ///< All of them; slot time is shared out.
  kLocal,   ///< Nodes of its own, in proportion to what the job costs.
};

[[nodiscard]] constexpr std::string_view name_of(SchedulingMode mode) {
  return mode == SchedulingMode::kLocal ? "local" : "global";
}
/// The mode of that name, if there is one.
[[nodiscard]] constexpr std::optional<SchedulingMode> scheduling_mode(std::string_view name) {
  for (const SchedulingMode mode : {SchedulingMode::kGlobal, SchedulingMode::kLocal}) {
    if (name == name_of(mode)) {
      return mode;
    }
  }
  return std::nullopt;
}

}  // namespace gradmill
