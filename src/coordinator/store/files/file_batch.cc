#include "coordinator/store/files/file_batch.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace gradmill::coordinator {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::string temporary_of(const std::string& path) { return path + std::string(kTemporarySuffix); }

}  // namespace

std::string_view FileContent::keep(std::string bytes) {
  owned.push_back(std::make_unique<const std::string>(std::move(bytes)));
  return *owned.back();
}

void FileBatch::make_folder(const std::string& path) {
  folders_.push_back(path);
  to_sync_.insert(parent_of(path));
}

void FileBatch::add(const std::string& path, FileContent content) {
  to_sync_.insert(parent_of(path));
  const auto [found, is_new] = index_.emplace(path, contents_.size());
  if (is_new) {
    contents_.push_back({path, std::move(content)});
  } else {
    contents_[found->second].content = std::move(content);
  }
}

void FileBatch::apply() {
  std::size_t written = 0;
  std::vector<std::string> fresh;
  try {
    for (const std::string& folder : folders_) {
      files_.make_folder(folder);
    }
    // All are written before the first is synced: the disk then has most of the work at once.
    for (const File& file : contents_) {
      ++written;
      files_.write(temporary_of(file.path), file.content.parts);
    }
    std::vector<std::string> to_sync;
    std::transform(
        contents_.begin(), contents_.end(), std::back_inserter(to_sync), [](const File& file) {
          return temporary_of(file.path);
        });
    files_.sync(to_sync);
    for (const File& file : contents_) {
      const bool is_new = !exists(file.path);
      files_.rename(temporary_of(file.path), file.path);
      if (is_new) {
        fresh.push_back(file.path);
      }
    }
    files_.sync(std::vector<std::string>(to_sync_.begin(), to_sync_.end()));
  } catch (...) {
    undo(written, fresh);
    throw;
  }
}

void FileBatch::undo(std::size_t written, const std::vector<std::string>& fresh) {
  for (std::size_t i = 0; i < written; ++i) {
    try_remove(temporary_of(contents_[i].path));
  }
  std::for_each(fresh.begin(), fresh.end(), [&](const std::string& path) { try_remove(path); });
  // Those with other files in them stay.
  std::for_each(
      folders_.rbegin(), folders_.rend(), [&](const std::string& path) { try_remove(path); });
}

void FileBatch::try_remove(const std::string& path) {
  try {
    files_.remove(path);
  } catch (const std::system_error&) {
    // A leftover; it is removed at the next start.
    static_cast<void>(path);
  }
}

}  // namespace gradmill::coordinator
