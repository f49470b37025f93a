// What a batch of records changes, worked out before anything is changed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/record.h"
#include "coordinator/store/commit/model_plan.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/predicted_files.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// Of one commit. The records must outlive it. For one thread.
class CommitPlan {
 public:
  CommitPlan(const StatePaths& paths, const StoreIndex& index);

  /// Records of jobs that are not there, and submissions of those that are, change nothing.
  void add(const Record& record);

  /// Adds the files that must be durable before the rows.
  void gather_files(FileBatch& batch);
  /// Changes the rows, within a transaction.
  void write_rows(Database& database) const;
  /// Changes the index as the rows were changed.
  void update(StoreIndex& index) const;

  /// Rounds whose weights gather_files() adds, by the job's number.
  [[nodiscard]] std::map<std::uint64_t, std::uint32_t> generations() const;
  /// Jobs with new weights, and those that are gone.
  [[nodiscard]] const std::vector<Definition>& removed() const { return removed_; }
  [[nodiscard]] const ModelPlan& models() const { return models_; }

 private:
  struct Touched {
    StoreEntry entry;
    const JobAdded* added = nullptr;
    std::string definition_text;  // Of those that were added.
    bool moved = false;
    std::optional<Checkpoint> checkpoint;
    std::vector<PredictedAt> predicted;
  };

  void apply(const JobAdded& record);
  void apply(const RoundFinished& record);
  void apply(const RowsPredicted& record);
  void apply(const BatchSizeChanged& record);
  void apply(const JobMoved& record);
  void apply(const JobRemoved& record);
  void apply(const JobLogged& record);
  void apply(const NodeAdded& record);
  void apply(const NodeRemoved& record);
  void apply(const NodeTakenOut& record);
  void apply(const SchedulingSet& record);
  void apply(const ModelAdded& record) { models_.apply(record, next_number_); }
  void apply(const ModelAliases& record) { models_.apply(record); }
  void apply(const ModelRemoved& record) { models_.apply(record); }
  /// The job as the records so far leave it; null if there is none.
  Touched* find(const std::string& job);
  void gather_job(FileBatch& batch, const Touched& touched) const;

  const StatePaths& paths_;
  const StoreIndex& index_;
  std::uint64_t commit_;
  std::uint64_t next_number_;
  std::map<std::string, std::optional<Touched>> touched_;  // Nothing: removed.
  std::vector<Definition> removed_;
  ModelPlan models_;
  std::vector<std::function<void(Database&)>> rows_;
};

}  // namespace gradmill::coordinator
