// How much of what nodes do a job's log keeps.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "protocol/job_event.h"

namespace gradmill::coordinator {

/// Bounds the events that name a node, of each job and this start: there is no bound on what nodes
/// do. Not thread-safe.
class EventQuota {
 public:
  static constexpr std::uint32_t kNodeEventsMax = 10'000;

  /// Whether the job's log keeps `event`. The last one that it keeps becomes a note that there are
  /// no more.
  [[nodiscard]] bool admit(const std::string& job, JobEvent& event);
  void forget(const std::string& job) { node_events_.erase(job); }

 private:
  std::map<std::string, std::uint32_t> node_events_;  // by job
};

}  // namespace gradmill::coordinator
