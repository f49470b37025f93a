// Several files that become durable together.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coordinator/store/files/file_system.h"

namespace gradmill::coordinator {

/// What a temporary file is called until it has its name.
inline constexpr std::string_view kTemporarySuffix = ".new";

/// Bytes to be written: views, and what some of them look at.
struct FileContent {
  std::vector<std::unique_ptr<const std::string>> owned;
  std::vector<std::string_view> parts;

  /// Keeps `bytes` and returns a view of them, without making it a part.
  std::string_view keep(std::string bytes);
};

/// Gathers files and writes them all: temporary files, fsync of each, renames, fsync of each folder
/// once. For one thread.
class FileBatch {
 public:
  explicit FileBatch(FileSystem& files) : files_(files) {}
  /// A folder that is to be there before the files are; its parent is synced with the others.
  void make_folder(const std::string& path);
  /// The names in a folder are to be durable, even if no file is new there.
  void sync_folder(const std::string& path) { to_sync_.insert(path); }
  /// Replaces an earlier file of that name in the batch. What `content` does not own must outlive
  /// apply().
  void add(const std::string& path, FileContent content);
  /// Whatever a step throws; then temporary files and files that are new are gone, as far as the
  /// disk obeys, and files that were there are either the old or the new ones, whole.
  void apply();

 private:
  struct File {
    std::string path;
    FileContent content;
  };
  void undo(std::size_t written, const std::vector<std::string>& fresh);
  void try_remove(const std::string& path);

  FileSystem& files_;
  std::vector<std::string> folders_;
  std::vector<File> contents_;
  std::unordered_map<std::string, std::size_t> index_;  // Of contents_, by path.
  std::set<std::string> to_sync_;
};

}  // namespace gradmill::coordinator
