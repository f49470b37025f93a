// Blobs in pieces, so that no message grows with the size of a model.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/blob.h"
#include "base/byte_room.h"
#include "base/digest.h"
#include "rpc/limits.h"

namespace gradmill::rpc {

/// Puts together one blob at a time from pieces that come in order. Memory grows with what has
/// come, not with what was announced. Not thread-safe.
class BlobReceiver {
 public:
  /// Refuses blobs of more than `blob_bytes_max`. Takes room for an unfinished blob, if there is a
  /// `room` (not owned).
  explicit BlobReceiver(std::uint64_t blob_bytes_max, ByteRoom* room = nullptr)
      : blob_bytes_max_(blob_bytes_max), room_(room) {}
  BlobReceiver(const BlobReceiver&) = delete;
  BlobReceiver& operator=(const BlobReceiver&) = delete;
  ~BlobReceiver() { reset(); }

  /// Takes the next piece of `blob`; a piece at offset 0 drops what was begun and begins anew. An
  /// empty blob is one empty piece. Returns the blob with its last piece. Throws
  /// Error(kInvalidInput), and drops what was begun, if the piece does not follow the last one, is
  /// larger than kBlobPieceBytesMax, empty or beyond the end, or if the digest is wrong; or what
  /// there is no room for.
  [[nodiscard]] std::optional<Blob> add(const BlobRef& blob,
                                        std::uint64_t offset,
                                        std::string_view piece);

  /// Bytes of the unfinished blob.
  [[nodiscard]] std::uint64_t received() const noexcept { return bytes_.size(); }
  /// Drops what was begun.
  void reset() noexcept;

 private:
  void make_room_for(std::size_t bytes);
  void check(const BlobRef& blob, std::uint64_t offset, std::string_view piece) const;
  [[nodiscard]] Blob finish();

  const std::uint64_t blob_bytes_max_;
  ByteRoom* const room_;
  std::uint64_t room_taken_ = 0;
  std::optional<BlobRef> blob_;   // The one begun, if any.
  std::string bytes_;             // Its pieces so far.
  std::optional<Sha256> digest_;  // Of them.
};

namespace internal {

/// Throws Error(kFailed) unless a peer acknowledged `expected` bytes or all of the blob.
void check_acknowledged(const BlobRef& blob, std::uint64_t expected, std::uint64_t acknowledged);

/// Throws Error(kInvalidInput) if a peer sent nothing, or more than it was asked for.
void check_piece(std::uint64_t asked, std::uint64_t got);

}  // namespace internal

/// Sends `blob` in pieces: `put(std::uint64_t offset, std::string piece)` sends one and returns how
/// many bytes of the blob the peer then has. Stops early when the peer has all of them. Throws what
/// `put` throws, and Error(kFailed) when the peer's count is wrong.
template <class Put>
void send_pieces(const Blob& blob, Put&& put) {
  std::uint64_t offset = 0;
  do {
    const auto bytes = std::min<std::uint64_t>(kBlobPieceBytesMax, blob.bytes->size() - offset);
    const auto has = static_cast<std::uint64_t>(put(offset, blob.bytes->substr(offset, bytes)));
    offset += bytes;
    internal::check_acknowledged(blob.ref, offset, has);
    if (has == blob.ref.bytes) {
      return;
    }
  } while (offset < blob.ref.bytes);
}

/// Fetches `blob` in pieces: `get(std::uint64_t offset, std::int32_t bytes_max)` returns the piece
/// at `offset` as a std::string. Throws what `get` throws, and Error(kInvalidInput) if the blob is
/// larger than `blob_bytes_max` (before any call) or if the bytes are not those of its name.
template <class Get>
[[nodiscard]] Blob receive_pieces(const BlobRef& blob, std::uint64_t blob_bytes_max, Get&& get) {
  BlobReceiver receiver(blob_bytes_max);
  if (blob.bytes == 0 || blob.bytes > blob_bytes_max) {
    return receiver.add(blob, 0, {}).value();
  }
  for (;;) {
    const auto left = blob.bytes - receiver.received();
    const auto asked = static_cast<std::int32_t>(std::min<std::uint64_t>(kBlobPieceBytesMax, left));
    const std::string piece = get(receiver.received(), asked);
    internal::check_piece(static_cast<std::uint64_t>(asked), piece.size());
    if (auto whole = receiver.add(blob, receiver.received(), piece)) {
      return std::move(*whole);
    }
  }
}

}  // namespace gradmill::rpc
