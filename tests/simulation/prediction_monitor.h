// Safety of prediction jobs: each row is predicted, once, in its place, and as it should be.
#pragma once

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/counts.h"
#include "simulation/plan.h"

namespace gradmill::simulation {

/// Looks at what is saved of prediction jobs, and at their ends. Invariants: rows_right, all_rows.
class PredictionMonitor {
 public:
  PredictionMonitor(const Plan& plan, Counts& counts) : plan_(plan), counts_(counts) {}

  void saves(const coordinator::RowsPredicted& record, const JobPlan& job) const;
  void ends(const coordinator::Job& job);

 private:
  const Plan& plan_;
  Counts& counts_;
};

}  // namespace gradmill::simulation
