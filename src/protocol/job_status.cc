#include "protocol/job_status.h"

#include <array>
#include <cstddef>

namespace gradmill {

std::string_view name_of(JobState state) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "pending", "running", "recovering", "paused", "succeeded", "failed", "cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace gradmill
