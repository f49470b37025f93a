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
#include "base/byte_room.h"

namespace gradmill {

/// Keeps blobs by digest. Pinned ones stay; of the others the least recently used go first when the
/// bound is reached. Unfinished blobs count as well. Thread-safe.
class BlobCache final : public ByteRoom {
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
  /// Of the blobs here.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t bytes_max() const noexcept { return bytes_max_; }

  void take_room(std::uint64_t bytes) override;
  void give_room_back(std::uint64_t bytes) noexcept override;

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
  std::uint64_t unfinished_ = 0;  // Bytes.
};

}  // namespace gradmill
