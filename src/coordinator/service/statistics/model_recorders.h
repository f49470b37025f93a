// What is remembered of queries to each model.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "coordinator/service/statistics/query_recorder.h"
#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// Of the versions that were used last, 256 at most. Thread-safe; its lock is a leaf.
class ModelRecorders {
 public:
  /// A request was answered at once.
  void add_request(const std::string& model,
                   std::uint32_t version,
                   const QueryTiming& timing,
                   TimePoint now);
  /// A batch of a prediction job was done.
  void add_batch(const std::string& model,
                 std::uint32_t version,
                 const QueryTiming& timing,
                 TimePoint now);
  [[nodiscard]] ModelStatistics statistics(const std::string& model,
                                           std::uint32_t version,
                                           TimePoint now) const;
  void forget(const std::string& model, std::uint32_t version);
  /// All versions.
  void forget(const std::string& model);

 private:
  struct Recorders {
    QueryRecorder requests;
    QueryRecorder batches;
    TimePoint used_at{};
  };
  using Key = std::pair<std::string, std::uint32_t>;

  [[nodiscard]] Recorders& at(const std::string& model, std::uint32_t version, TimePoint now);

  mutable std::mutex mutex_;
  std::map<Key, Recorders> models_;  // guarded by mutex_
};

}  // namespace gradmill::coordinator
