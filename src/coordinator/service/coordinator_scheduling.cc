// What clients ask of how jobs share the nodes.
#include "coordinator/core/scheduler/explanation.h"
#include "coordinator/service/coordinator.h"

namespace gradmill::coordinator {

JobExplanation Coordinator::explain(const std::string& job) {
  const std::lock_guard lock(mutex_);
  return coordinator::explain(scheduler_, job_at(job), std::chrono::steady_clock::now());
}

void Coordinator::set_scheduling(SchedulingMode mode) {
  std::unique_lock lock = lock_running();
  decide([&](TimePoint now) { return scheduler_.set_scheduling(mode, now); });
  tell_of_change();
  await_durable(lock);
}

SchedulingMode Coordinator::scheduling() {
  const std::lock_guard lock(mutex_);
  return scheduler_.scheduling();
}

}  // namespace gradmill::coordinator
