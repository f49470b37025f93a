// Shards that a node keeps, ready for the kernels.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "ml/train_shard.h"

namespace gradmill::node {

/// A shard laid out for the kernels, and what it takes to check it against a job.
struct PreparedShard {
  ml::Samples samples;
  std::uint32_t features = 0;
  std::uint32_t classes = 0;  ///< Largest label + 1.
  std::uint64_t bytes = 0;    ///< Of memory.
};

/// Keeps prepared shards up to a bound in bytes, least recently used out first. Shards in use live
/// on beyond that. Thread-safe.
class SampleCache {
 public:
  explicit SampleCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// The shard, prepared for rules like this one, or null.
  [[nodiscard]] std::shared_ptr<const PreparedShard> find(const Digest& shard,
                                                          const ml::TrainingRule& rule);
  void put(const Digest& shard,
           const ml::TrainingRule& rule,
           std::shared_ptr<const PreparedShard> prepared);
  /// Keeps so much less than the bound from now on.
  void leave_room_for(std::uint64_t others);
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Entry {
    Digest shard;
    std::string key;  // samples_key() of the rules that it suits
    std::shared_ptr<const PreparedShard> prepared;
  };
  [[nodiscard]] std::list<Entry>::iterator locate(const Digest& shard, std::string_view key);

  void shrink();
  [[nodiscard]] std::uint64_t bytes_free_of_others() const;

  const std::uint64_t bytes_max_;
  std::uint64_t others_ = 0;  // bytes
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::uint64_t bytes_ = 0;
};

/// Decodes a shard blob and lays it out for `rule`. Throws Error(kInvalidInput).
[[nodiscard]] std::shared_ptr<const PreparedShard> prepare_shard(std::string_view blob,
                                                                 const ml::TrainingRule& rule);

}  // namespace gradmill::node
