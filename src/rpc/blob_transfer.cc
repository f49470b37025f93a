#include "rpc/blob_transfer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"

namespace gradmill::rpc {

std::optional<Blob> BlobReceiver::add(const BlobRef& blob,
                                      std::uint64_t offset,
                                      std::string_view piece) {
  if (offset == 0) {
    reset();
  }
  try {
    check(blob, offset, piece);
    if (offset == 0) {
      blob_ = blob;
      digest_.emplace();
    }
    make_room_for(piece.size());
    bytes_.append(piece);
    digest_->add(piece);
    if (bytes_.size() < blob.bytes) {
      return std::nullopt;
    }
    return finish();
  } catch (...) {
    reset();
    throw;
  }
}

void BlobReceiver::reset() noexcept {
  blob_.reset();
  digest_.reset();
  bytes_ = {};
  if (room_ != nullptr && room_taken_ > 0) {
    room_->give_room_back(room_taken_);
  }
  room_taken_ = 0;
}

// Doubles the space when it grows: copying stays linear.
void BlobReceiver::make_room_for(std::size_t bytes) {
  const std::uint64_t need = bytes_.size() + bytes;
  if (need <= bytes_.capacity()) {
    return;
  }
  const std::uint64_t space =
      std::min(blob_->bytes, std::max(need, 2 * std::uint64_t{bytes_.size()}));
  if (room_ != nullptr && space > room_taken_) {
    room_->take_room(space - room_taken_);
    room_taken_ = space;
  }
  bytes_.reserve(space);
}

void BlobReceiver::check(const BlobRef& blob, std::uint64_t offset, std::string_view piece) const {
  if (blob.bytes > blob_bytes_max_) {
    throw invalid_input("a blob of " + std::to_string(blob.bytes) +
                        " bytes is larger than the limit of " + std::to_string(blob_bytes_max_));
  }
  if (piece.size() > static_cast<std::size_t>(kBlobPieceBytesMax)) {
    throw invalid_input("a piece of " + std::to_string(piece.size()) +
                        " bytes is larger than the limit of " + std::to_string(kBlobPieceBytesMax));
  }
  if (offset != 0 && (blob_ != blob || offset != bytes_.size())) {
    throw invalid_input("a piece at byte " + std::to_string(offset) +
                        " of a blob does not follow the last one");
  }
  if (piece.size() > blob.bytes - offset) {
    throw invalid_input("a piece goes beyond the end of its blob");
  }
  if (piece.empty() && blob.bytes > 0) {
    throw invalid_input("a piece of a blob is empty");
  }
}

Blob BlobReceiver::finish() {
  if (digest_->finish() != blob_->digest) {
    throw invalid_input("the bytes of blob " + blob_->digest.hex() + " do not match its digest");
  }
  Blob blob{*blob_, std::make_shared<const std::string>(std::move(bytes_))};
  reset();
  return blob;
}

namespace internal {

void check_acknowledged(const BlobRef& blob, std::uint64_t expected, std::uint64_t acknowledged) {
  if (acknowledged != expected && acknowledged != blob.bytes) {
    throw Error(ErrorCode::kFailed,
                "the peer acknowledged " + std::to_string(acknowledged) + " bytes of a blob, not " +
                    std::to_string(expected));
  }
}

void check_piece(std::uint64_t asked, std::uint64_t got) {
  if (got == 0 || got > asked) {
    throw invalid_input("the peer sent " + std::to_string(got) + " bytes of a blob, asked for " +
                        std::to_string(asked));
  }
}

}  // namespace internal
}  // namespace gradmill::rpc
