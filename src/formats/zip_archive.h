// Zip archives in memory, by libzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct zip;

namespace gradmill::formats {

/// A file to put into an archive: its content is `head`, then `body`, which the caller keeps.
struct ZipContent {
  std::string name;
  std::string head;
  std::string_view body;
};

/// An archive of `contents`, at least one and of different names, stored without compression; the
/// same bytes for the same contents.
[[nodiscard]] std::string write_zip(const std::vector<ZipContent>& contents);

/// Reads an archive of stored entries, so that none is larger than the archive. Not thread-safe.
class ZipReader {
 public:
  struct Entry {
    std::string name;
    std::uint64_t bytes = 0;
  };

  /// Reads the directory of `archive`, which must outlive this. Throws Error(kInvalidInput)
  /// starting with `what` ("m.npz: is not a model:") unless it is a whole archive of at most
  /// `entries_max` entries, all stored, none encrypted, each of another name, and together no
  /// larger than the archive.
  ZipReader(std::string_view archive, std::size_t entries_max, std::string what);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  /// The content of entry `index`, its checksum checked. Throws as above.
  [[nodiscard]] std::string read(std::size_t index) const;

 private:
  struct Discard {
    void operator()(struct zip* archive) const noexcept;
  };

  std::string what_;
  std::unique_ptr<struct zip, Discard> archive_;
  std::vector<Entry> entries_;
};

}  // namespace gradmill::formats
