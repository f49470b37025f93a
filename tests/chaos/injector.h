// Carries out a plan on a cluster.
#pragma once

#include <atomic>
#include <vector>

#include "chaos/measures.h"
#include "chaos/plan.h"
#include "chaos/run_clock.h"
#include "chaos/stage.h"

namespace gradmill::chaos {

/// Makes the steps of `plan` at their times, counted from now, or later if one takes long; ends
/// early, with what is struck left so, once `interrupted`. Faults that are not possible here, or
/// that the cluster cannot obey at that moment, do not take place. Returns a strike for each of the
/// plan's. Throws if a process does not start or end.
[[nodiscard]] std::vector<MadeStrike> inject(const Plan& plan,
                                             Stage& stage,
                                             const RunClock& clock,
                                             const std::atomic<bool>& interrupted);

}  // namespace gradmill::chaos
