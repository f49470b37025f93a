#include "base/blob_cache.h"

#include "base/check.h"
#include "base/error.h"

namespace gradmill {

void BlobCache::put(const Blob& blob) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(blob.ref.digest); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return;
  }
  make_room(blob.ref.bytes);
  entries_.push_front({blob, 0});
  index_.emplace(blob.ref.digest, entries_.begin());
  bytes_ += blob.ref.bytes;
}

void BlobCache::make_room(std::uint64_t bytes) {
  const auto fits = [&] {
    const std::uint64_t used = bytes_ + unfinished_;
    return bytes <= bytes_max_ && used <= bytes_max_ - bytes;
  };
  for (auto entry = entries_.end(); entry != entries_.begin() && !fits();) {
    --entry;
    if (entry->pins == 0) {
      bytes_ -= entry->blob.ref.bytes;
      index_.erase(entry->blob.ref.digest);
      entry = entries_.erase(entry);
    }
  }
  if (!fits()) {
    throw Error(ErrorCode::kUnavailable,
                "no room for " + std::to_string(bytes) + " bytes: of " +
                    std::to_string(bytes_max_) + " (--cache-bytes), jobs use " +
                    std::to_string(bytes_) + " and unfinished uploads " +
                    std::to_string(unfinished_));
  }
}

void BlobCache::take_room(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  make_room(bytes);
  unfinished_ += bytes;
}

void BlobCache::give_room_back(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  GRADMILL_CHECK(bytes <= unfinished_);
  unfinished_ -= bytes;
}

std::optional<Blob> BlobCache::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(digest);
  if (found == index_.end()) {
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->blob;
}

std::vector<Digest> BlobCache::pin(std::span<const BlobRef> blobs) {
  const std::lock_guard lock(mutex_);
  std::vector<Digest> missing;
  for (const BlobRef& blob : blobs) {
    const auto found = index_.find(blob.digest);
    if (found == index_.end() || found->second->blob.ref != blob) {
      missing.push_back(blob.digest);
    }
  }
  if (missing.empty()) {
    for (const BlobRef& blob : blobs) {
      ++index_.at(blob.digest)->pins;
    }
  }
  return missing;
}

void BlobCache::unpin(std::span<const BlobRef> blobs) {
  const std::lock_guard lock(mutex_);
  for (const BlobRef& blob : blobs) {
    std::uint32_t& pins = index_.at(blob.digest)->pins;
    GRADMILL_CHECK(pins > 0);
    --pins;
  }
}

std::uint64_t BlobCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace gradmill
