// Blobs: immutable bytes that are named by their digest. Shards, weights and deltas are blobs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/digest.h"

namespace gradmill {

/// The name of a blob: what it must hash to, and how long it is.
struct BlobRef {
  Digest digest;
  std::uint64_t bytes = 0;

  friend auto operator<=>(const BlobRef&, const BlobRef&) = default;
};

/// A blob in memory. The bytes are shared and never change, so copies are cheap and thread-safe.
struct Blob {
  BlobRef ref;
  std::shared_ptr<const std::string> bytes;
};

/// Names `bytes` by their SHA-256.
[[nodiscard]] inline Blob make_blob(std::string bytes) {
  Blob blob;
  blob.ref = {sha256(bytes), bytes.size()};
  blob.bytes = std::make_shared<const std::string>(std::move(bytes));
  return blob;
}

}  // namespace gradmill
