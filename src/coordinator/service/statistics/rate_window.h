// How many a second, lately.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "coordinator/core/nodes/node_registry.h"

namespace gradmill::coordinator {

/// Counts the last 10 s by the second. A single-threaded value.
class RateWindow {
 public:
  static constexpr std::chrono::seconds kLength{10};

  /// `now` may be a little before that of the last call.
  void add(TimePoint now, std::uint64_t count);
  /// Over the last 10 s, of which the oldest second counts by what of it is no older, or since
  /// `begun` if that is less, but not less than a second.
  [[nodiscard]] double per_second(TimePoint now, TimePoint begun) const;

 private:
  // With the one that is still going on.
  static constexpr std::size_t kSeconds = kLength.count() + 1;

  std::array<std::uint64_t, kSeconds> counts_{};  // of second s at s % kSeconds
  std::int64_t newest_ = 0;                       // the last second that has a count
};

}  // namespace gradmill::coordinator
