// Which start of which coordinator a node obeys.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "protocol/task.h"

namespace gradmill::node {

using TimePoint = std::chrono::steady_clock::time_point;

/// The highest epoch seen of each coordinator, and when it was last heard of. A single-threaded
/// value.
class FenceTable {
 public:
  /// Notes that `fence` was heard. Throws Error(kNotAllowed) if a later start of the same
  /// coordinator has been here.
  void admit(const Fence& fence, TimePoint now);
  /// When the coordinator was last heard of; the epoch of the clock if never.
  [[nodiscard]] TimePoint last_heard(const std::string& coordinator) const;
  /// Notes that the coordinator of `fence` has been told that the node leaves.
  void tell(const Fence& fence) { entries_[fence.coordinator].told = true; }
  /// Whether all coordinators heard of since then have been told.
  [[nodiscard]] bool all_told(TimePoint since) const;

 private:
  struct Entry {
    std::uint64_t epoch = 0;
    TimePoint heard{};
    bool told = false;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace gradmill::node
