#include "compute_node/worker/fence_table.h"

#include <algorithm>

#include "base/error.h"

namespace gradmill::node {
namespace {

// Coordinators remembered; the one not heard of for longest is forgotten first.
constexpr std::size_t kCoordinatorsMax = 256;

}  // namespace

void FenceTable::admit(const Fence& fence, TimePoint now) {
  const auto known = entries_.find(fence.coordinator);
  if (known != entries_.end() && fence.epoch < known->second.epoch) {
    throw Error(ErrorCode::kNotAllowed,
                "start " + std::to_string(fence.epoch) + " of this coordinator is over: start " +
                    std::to_string(known->second.epoch) + " has been here");
  }
  Entry& entry = entries_[fence.coordinator];
  entry = {fence.epoch, now, entry.told && entry.epoch == fence.epoch};
  if (entries_.size() > kCoordinatorsMax) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.heard < b.second.heard;
    }));
  }
}

TimePoint FenceTable::last_heard(const std::string& coordinator) const {
  const auto found = entries_.find(coordinator);
  return found == entries_.end() ? TimePoint{} : found->second.heard;
}

bool FenceTable::all_told(TimePoint since) const {
  return std::all_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.told || entry.second.heard < since;
  });
}

}  // namespace gradmill::node
