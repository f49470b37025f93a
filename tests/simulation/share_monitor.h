// Local mode: that each job has nodes of its own, and only those work for it.
#pragma once

#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::simulation {

/// Looks at the shares without books of its own. Invariants: own_nodes, taken_back, job_has_node,
/// node_has_job.
class ShareMonitor {
 public:
  /// An offer that was just made.
  static void check_offer(const coordinator::OfferTask& offer,
                          const coordinator::Scheduler& scheduler);
  static void after_event(const coordinator::Scheduler& scheduler, coordinator::TimePoint now);
};

}  // namespace gradmill::simulation
