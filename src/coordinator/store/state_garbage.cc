#include "coordinator/store/state_garbage.h"

#include <algorithm>
#include <filesystem>

#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/model_files.h"

namespace gradmill::coordinator {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMovedPrefix = "gradmill.db.damaged-";

void add(std::vector<UnneededFile>& files,
         const fs::directory_entry& entry,
         const std::string& in) {
  files.push_back({in + entry.path().filename().string(),
                   entry.is_regular_file() ? static_cast<std::uint64_t>(entry.file_size()) : 0});
}

bool is_temporary(const std::string& name) { return name.ends_with(kTemporarySuffix); }

void find_in_root(const StatePaths& paths, const Needed& needed, std::vector<UnneededFile>& files) {
  for (const auto& entry : fs::directory_iterator(paths.root())) {
    const std::string name = entry.path().filename();
    if (is_temporary(name) || (name.starts_with(kMovedPrefix) && needed.files.count(name) == 0)) {
      add(files, entry, "");
    }
  }
}

void find_shards(const StatePaths& paths, const Needed& needed, std::vector<UnneededFile>& files) {
  std::set<std::string> names;
  for (const Digest& digest : needed.shards) {
    names.insert(digest.hex());
  }
  for (const auto& entry : fs::directory_iterator(paths.shards())) {
    if (names.count(entry.path().filename()) == 0) {
      add(files, entry, "shards/");
    }
  }
}

void find_models(const StatePaths& paths, const Needed& needed, std::vector<UnneededFile>& files) {
  for (const auto& entry : fs::directory_iterator(paths.models())) {
    if (!needed.models.contains(entry.path().filename())) {
      add(files, entry, "models/");
    }
  }
}

void find_in_jobs(const StatePaths& paths, const Needed& needed, std::vector<UnneededFile>& files) {
  for (const FoundJob& job : find_jobs(paths)) {
    const bool stays = needed.jobs.count(job.number) != 0;
    for (const auto& entry : fs::directory_iterator(job.path)) {
      if (!stays || is_temporary(entry.path().filename())) {
        add(files, entry, "jobs/" + job.name + "/");
      }
    }
  }
}

}  // namespace

Needed needed_by(const StoreIndex& index, std::span<const std::string> without) {
  Needed needed;
  for (const auto& [key, number] : index.models) {
    needed.models.insert(std::to_string(number));
    needed.models.insert(aliases_name(key.first));
  }
  for (const auto& [job, entry] : index.jobs) {
    if (std::find(without.begin(), without.end(), job) != without.end()) {
      continue;
    }
    needed.jobs.insert(entry.definition->number);
    for (const BlobRef& ref : entry.definition->specification->blobs()) {
      needed.shards.insert(ref.digest);
    }
  }
  return needed;
}

std::vector<UnneededFile> find_unneeded(const StatePaths& paths, const Needed& needed) {
  std::vector<UnneededFile> files;
  find_in_root(paths, needed, files);
  find_shards(paths, needed, files);
  find_models(paths, needed, files);
  find_in_jobs(paths, needed, files);
  std::sort(files.begin(), files.end(), [](const UnneededFile& a, const UnneededFile& b) {
    return a.name < b.name;
  });
  return files;
}

void remove_unneeded(const StatePaths& paths,
                     FileSystem& files,
                     const Needed& needed,
                     std::span<const UnneededFile> unneeded) {
  for (const UnneededFile& file : unneeded) {
    files.remove(paths.at(file.name));
  }
  for (const FoundJob& found : find_jobs(paths)) {
    if (!needed.jobs.contains(found.number)) {
      files.remove(found.path);
    }
  }
}

std::set<std::string> find_moved_databases(const StatePaths& paths) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(paths.root())) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kMovedPrefix)) {
      names.insert(name);
    }
  }
  return names;
}

}  // namespace gradmill::coordinator
