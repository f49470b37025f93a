#include "coordinator/service/event_quota.h"

namespace gradmill::coordinator {

bool EventQuota::admit(const std::string& job, JobEvent& event) {
  if (event.node.empty()) {
    return true;
  }
  std::uint32_t& count = node_events_[job];
  if (count == kNodeEventsMax) {
    return false;
  }
  if (++count == kNodeEventsMax) {
    event = {};
    event.warning = true;
    event.event = "events_dropped";
    event.message = "what else nodes do is in the coordinator's log alone";
  }
  return true;
}

}  // namespace gradmill::coordinator
