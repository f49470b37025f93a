// Blobs in memory, within a bound.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/blob.h"

namespace gradmill {

/// Keeps blobs by digest. Pinned ones stay; of the others the least recently used go first when the
/// bound is reached. Thread-safe.
class BlobCache {
 public:
  explicit BlobCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Keeps `blob`. Throws Error(kUnavailable) if the pinned blobs leave no room for it.
  void put(const Blob& blob);
  /// The blob, which then counts as just used.
  [[nodiscard]] std::optional<Blob> find(const Digest& digest);
  /// Pins all of `blobs` if all are here, once more each; else pins none. Returns what is missing.
  [[nodiscard]] std::vector<Digest> pin(std::span<const BlobRef> blobs);
  /// Takes one pin off each; a blob without pins may go.
  void unpin(std::span<const BlobRef> blobs);
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Entry {
    Blob blob;
    std::uint32_t pins = 0;
  };
  using Entries = std::list<Entry>;  // most recently used first
  void make_room(std::uint64_t bytes);

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<Digest, Entries::iterator> index_;
  std::uint64_t bytes_ = 0;
};

}  // namespace gradmill
