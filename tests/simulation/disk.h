// The simulated state folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::simulation {

/// What is durable. Survives every crash.
class Disk {
 public:
  /// Another start of the coordinator writes from now on; its tickets begin anew.
  void begin_start() { last_ticket_ = 0; }
  /// Makes the record durable. One that is may come again, as after an error in a batch.
  void apply(const coordinator::Save& save);
  /// Makes a deletion durable, past the queue of records.
  void remove(const std::string& job) { keep(coordinator::JobRemoved{job}); }
  /// What a new start finds.
  [[nodiscard]] std::vector<coordinator::StoredJob> jobs() const;
  [[nodiscard]] std::vector<coordinator::StoredNode> nodes() const;
  [[nodiscard]] SchedulingMode scheduling() const { return scheduling_; }
  /// The weights that an ended job's status names.
  [[nodiscard]] const std::map<std::string, Digest>& results() const { return results_; }

 private:
  void keep(const coordinator::JobAdded& record);
  void keep(const coordinator::RoundFinished& record);
  void keep(const coordinator::RowsPredicted& record);
  void keep(const coordinator::BatchSizeChanged& record);
  void keep(const coordinator::JobMoved& record);
  void keep(const coordinator::JobRemoved& record);
  void keep(const coordinator::JobLogged& record);
  void keep(const coordinator::NodeAdded& record);
  void keep(const coordinator::NodeRemoved& record);
  void keep(const coordinator::NodeTakenOut& record);
  void keep(const coordinator::SchedulingSet& record) { scheduling_ = record.mode; }
  // The world of the simulator has no models.
  void keep(const coordinator::ModelAdded& /*record*/) {}
  void keep(const coordinator::ModelAliases& /*record*/) {}
  void keep(const coordinator::ModelRemoved& /*record*/) {}

  std::map<std::string, coordinator::StoredJob> jobs_;
  std::vector<std::string> order_;
  std::map<Address, coordinator::StoredNode> nodes_;
  SchedulingMode scheduling_ = SchedulingMode::kGlobal;
  std::map<std::string, Digest> results_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace gradmill::simulation
