#include "compute_node/worker/blob_inbox.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/error.h"

namespace gradmill::node {
namespace {

// With a smaller cache no task could ever be delivered.
constexpr std::uint64_t kBytesMin = std::uint64_t{64} << 20U;

}  // namespace

BlobInbox::BlobInbox(std::size_t count_max, std::uint64_t bytes_max, SampleCache& samples)
    : count_max_(count_max), bytes_max_(std::max(bytes_max, kBytesMin)), samples_(samples) {}

void BlobInbox::put(const Blob& blob) {
  const std::lock_guard lock(mutex_);
  if (locate(blob.ref.digest)) {
    return;
  }
  make_room(blob.ref.bytes);
  blobs_.push_front(blob);
  bytes_ += blob.ref.bytes;
  while (blobs_.size() > count_max_) {
    drop_oldest();
  }
  samples_.leave_room_for(bytes_ + unfinished_);
}

std::optional<Blob> BlobInbox::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  return locate(digest);
}

std::optional<Blob> BlobInbox::locate(const Digest& digest) {
  const auto found = std::find_if(
      blobs_.begin(), blobs_.end(), [&](const Blob& blob) { return blob.ref.digest == digest; });
  if (found == blobs_.end()) {
    return std::nullopt;
  }
  blobs_.splice(blobs_.begin(), blobs_, found);
  return blobs_.front();
}

void BlobInbox::take_room(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  make_room(bytes);
  unfinished_ += bytes;
  samples_.leave_room_for(bytes_ + unfinished_);
}

void BlobInbox::give_room_back(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  GRADMILL_CHECK(bytes <= unfinished_);
  unfinished_ -= bytes;
  samples_.leave_room_for(bytes_ + unfinished_);
}

void BlobInbox::drop_oldest() {
  bytes_ -= blobs_.back().ref.bytes;
  blobs_.pop_back();
}

void BlobInbox::make_room(std::uint64_t bytes) {
  const auto fits = [&] {
    return bytes <= bytes_max_ && bytes_ + unfinished_ <= bytes_max_ - bytes;
  };
  while (!fits() && !blobs_.empty()) {
    drop_oldest();
  }
  if (!fits()) {
    throw Error(
        ErrorCode::kUnavailable,
        "no room for " + std::to_string(bytes) + " bytes: of " + std::to_string(bytes_max_) +
            " (the node's --cache-bytes), unfinished ones use " + std::to_string(unfinished_));
  }
}

}  // namespace gradmill::node
