// The envelope of all files of the state folder but shards: any flipped bit and any missing byte
// shows.
//
// Little endian: "GMSTATE1" (8 bytes), u32 kind, u32 sections, u64 commit; of each section u64
// bytes and u64 XXH3; u64 XXH3 of all before; then the sections. Nothing follows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/store/files/file_batch.h"

namespace gradmill::coordinator {

/// What a file is.
enum class FileKind : std::uint32_t {
  kIdentity = 1,
  kJob = 2,
  kState = 3,
  kWeights = 4,
  kModel = 5,
  kAliases = 6,
  kPredictions = 7
};

/// A file whose checksums hold.
struct Sealed {
  std::uint64_t commit = 0;                ///< Which commit of the folder wrote it.
  std::vector<std::string_view> sections;  ///< Of the bytes given.
};

/// A file of `sections`; they are views of what `content` keeps or the caller does.
[[nodiscard]] FileContent seal(FileKind kind,
                               std::uint64_t commit,
                               std::span<const std::string_view> sections,
                               FileContent content = {});

/// The sections in `bytes`, or nothing if a byte is not as seal() wrote it or there are not exactly
/// `sections`. Checks every size against the file's before it is used.
[[nodiscard]] std::optional<Sealed> unseal(std::string_view bytes,
                                           FileKind kind,
                                           std::size_t sections);

}  // namespace gradmill::coordinator
