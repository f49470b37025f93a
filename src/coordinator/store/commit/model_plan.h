// What a batch of records changes about models.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/record.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// The part of a CommitPlan that is about models. The records must outlive it. For one thread.
class ModelPlan {
 public:
  ModelPlan(const StatePaths& paths, const StoreIndex& index) : paths_(paths), index_(index) {}

  /// Takes its number from `next_number`, unless the version is there already.
  void apply(const ModelAdded& record, std::uint64_t& next_number);
  void apply(const ModelAliases& record);
  void apply(const ModelRemoved& record);

  void gather_files(FileBatch& batch, std::uint64_t commit) const;
  void write_rows(Database& database) const;
  void update(StoreIndex& index) const;
  /// Files that the commit makes needless.
  [[nodiscard]] std::vector<std::string> needless() const;

 private:
  using Key = std::pair<std::string, std::uint32_t>;
  [[nodiscard]] std::optional<std::uint64_t> number_of(const Key& key) const;
  void remove(const Key& key);

  const StatePaths& paths_;
  const StoreIndex& index_;
  std::map<Key, std::optional<std::uint64_t>> touched_;  // Nothing: removed.
  std::map<std::uint64_t, const ModelAdded*> added_;
  std::map<std::string, const ModelAliases*> aliases_;  // Null: removed.
  std::vector<std::uint64_t> removed_;
  std::vector<std::function<void(Database&)>> rows_;
};

}  // namespace gradmill::coordinator
