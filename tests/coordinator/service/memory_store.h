// A job store in memory, for tests: what one coordinator leaves, the next one finds.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "coordinator/ports/job_store.h"

namespace gradmill::coordinator {

/// Keeps records as the port demands, as long as it lives. Thread-safe.
class MemoryStore final : public JobStore {
 public:
  /// While set, commit() fails as on a full disk, but for the removal of a job.
  std::atomic<bool> full = false;
  /// While set, that one fails as well.
  std::atomic<bool> without_reserve = false;
  /// Forgets every shard, as if the files were gone.
  void lose_blobs();
  /// Forgets one of them.
  void lose_blob(const Digest& digest);

  [[nodiscard]] StoredState load() override;
  void commit(std::span<const Record> records) override;
  void check_room(std::span<const BlobRef> blobs) override;
  [[nodiscard]] std::optional<Blob> blob(const BlobRef& ref) override;
  [[nodiscard]] std::optional<Blob> weights(const std::string& job) override;
  [[nodiscard]] std::optional<Blob> predictions(const std::string& job,
                                                std::uint64_t first_row) override;
  [[nodiscard]] std::optional<Blob> model(const ModelVersion& version) override;
  [[nodiscard]] std::vector<RoundReport> rounds(const std::string& job,
                                                std::uint32_t after,
                                                std::uint32_t limit) override;
  [[nodiscard]] std::vector<JobEvent> events(const std::string& job,
                                             std::uint64_t after,
                                             std::uint32_t limit) override;
  [[nodiscard]] Garbage collect(std::span<const std::string> jobs, bool dry_run) override;

 private:
  void keep(const JobAdded& record);
  void keep(const RoundFinished& record);
  void keep(const RowsPredicted& record);
  void keep(const BatchSizeChanged& record);
  void keep(const JobMoved& record);
  void keep(const JobRemoved& record);
  void keep(const JobLogged& record);
  void keep(const NodeAdded& record);
  void keep(const NodeRemoved& record);
  void keep(const NodeTakenOut& record);
  void keep(const SchedulingSet& record) { scheduling_ = record.mode; }
  void keep(const ModelAdded& record);
  void keep(const ModelAliases& record);
  void keep(const ModelRemoved& record);
  [[nodiscard]] StoredJob* find(const std::string& job);

  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::deque<StoredJob> jobs_;  // rounds with their tasks, ranges with their bytes
  std::vector<StoredNode> nodes_;
  SchedulingMode scheduling_ = SchedulingMode::kGlobal;
  std::vector<ModelAdded> models_;
  std::map<std::string, ModelAliases> aliases_;
  std::map<Digest, Blob> blobs_;
  std::map<std::string, std::vector<JobEvent>> events_;
};

}  // namespace gradmill::coordinator
