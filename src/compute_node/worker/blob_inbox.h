// Blobs on their way into a node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>

#include "base/blob.h"
#include "base/byte_room.h"
#include "compute_node/worker/sample_cache.h"

namespace gradmill::node {

/// Keeps the newest weights and shards for the offers that need them. They, unfinished ones and the
/// prepared shards stay within one bound together: prepared shards make room first, then the blobs
/// that were not used for longest. Thread-safe.
class BlobInbox final : public ByteRoom {
 public:
  /// Keeps at most `count_max` blobs. `samples` must outlive it.
  BlobInbox(std::size_t count_max, std::uint64_t bytes_max, SampleCache& samples);

  /// Keeps `blob`; throws as take_room().
  void put(const Blob& blob);
  /// The blob, which then counts as just used.
  [[nodiscard]] std::optional<Blob> find(const Digest& digest);
  [[nodiscard]] std::uint64_t bytes_max() const noexcept { return bytes_max_; }

  void take_room(std::uint64_t bytes) override;
  void give_room_back(std::uint64_t bytes) noexcept override;

 private:
  void drop_oldest();
  void make_room(std::uint64_t bytes);
  [[nodiscard]] std::optional<Blob> locate(const Digest& digest);

  const std::size_t count_max_;
  const std::uint64_t bytes_max_;
  SampleCache& samples_;
  std::mutex mutex_;
  std::list<Blob> blobs_;         // newest first
  std::uint64_t bytes_ = 0;       // of them
  std::uint64_t unfinished_ = 0;  // bytes
};

}  // namespace gradmill::node
