// The registry of models with the store behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/models/model_registry.h"
#include "coordinator/ports/job_store.h"
#include "coordinator/service/model_building.h"

namespace gradmill::coordinator {

/// Shows what is durable, and changes it in the journal's thread alone, so that two changes never
/// start from the same state. Its lock is of the leaf level.
class ModelKeeper {
 public:
  ModelKeeper(JobStore& store, BlobCache& blobs) : store_(store), blobs_(blobs) {}

  /// Before all other calls.
  void restore(std::vector<ModelVersion> versions, std::vector<ModelAliases> aliases);

  // For any thread.

  /// Throws as ModelRegistry does; likewise below.
  [[nodiscard]] std::shared_ptr<const ModelVersion> resolve(std::string_view reference) const;
  [[nodiscard]] std::vector<ModelSummary> list() const;
  [[nodiscard]] std::vector<ModelSummary> list(const std::string& model) const;
  [[nodiscard]] ModelDetails details(std::string_view reference) const;
  /// NAME@VERSION of the newest version that this job registered; empty if there is none.
  [[nodiscard]] std::string registered(const std::string& model, const std::string& job) const;
  /// The model file of some version, if there is one of that name. Throws Error(kFailed) if it can
  /// no longer be read.
  [[nodiscard]] std::optional<Blob> file(const BlobRef& ref);

  // For the journal's thread.

  /// Adds, behind every record of a job that succeeded, what registers its model, as `find` tells
  /// of it; nothing if it does not. A job whose model cannot be registered ends all the same.
  void complete(std::vector<Record>& records,
                const std::function<std::optional<TrainedJob>(const std::string& job)>& find);
  /// What complete() added is durable.
  void publish();
  /// Makes what `change` returns durable, and then shows it.
  void change(const std::function<std::vector<Record>(ModelRegistry& registry)>& change);

 private:
  void add(const TrainedJob& job, std::int64_t now_ms, std::vector<Record>& records);

  JobStore& store_;
  BlobCache& blobs_;
  ml::Trainer trainer_{1};  // of the journal's thread, as the next two
  ModelRegistry next_;      // durable once the batch is that complete() saw last
  bool is_ahead_ = false;   // next_ of durable_

  mutable std::mutex mutex_;
  ModelRegistry durable_;  // guarded by mutex_
};

}  // namespace gradmill::coordinator
