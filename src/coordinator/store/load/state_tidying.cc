// What a folder that was loaded no longer needs.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "coordinator/store/files/file_identity.h"
#include "coordinator/store/load/state_loader.h"

namespace gradmill::coordinator {
namespace {

bool is_kept(const std::string& name, const StoreEntry& entry) {
  return name == "job" || name == "state" ||
         (name.starts_with("weights-") && !name.ends_with(kTemporarySuffix) &&
          name.size() < std::string("weights-").size() + 11 &&
          std::strtoull(name.c_str() + std::string("weights-").size(), nullptr, 10) <=
              entry.progress.round);
}

}  // namespace

void StateLoader::tidy() {
  try {
    for (const std::uint64_t number : left_out_) {
      if (const auto folder = folders_.find(number); folder != folders_.end()) {
        files_.make_folder(paths_.damaged());
        const std::string name = paths_.damaged() + "/" + folder->second.found.name;
        files_.rename(folder->second.found.path, is_there(name) ? free_name(name + "-") : name);
        folders_.erase(folder);
      }
    }
    std::map<std::uint64_t, const StoreEntry*> entries;
    for (const auto& [job, entry] : loaded_.index.jobs) {
      entries[entry.definition->number] = &entry;
    }
    for (const auto& [number, folder] : folders_) {
      if (const auto entry = entries.find(number); entry != entries.end()) {
        tidy_job(folder, *entry->second);
      } else {
        std::filesystem::remove_all(folder.found.path);
      }
    }
    files_.sync(std::array{paths_.jobs()});
    models_.tidy(loaded_);
    if (is_there(paths_.suspect())) {
      files_.remove(paths_.suspect());
    }
  } catch (const std::system_error&) {
    note("some files that are no longer needed cannot be removed");
  }
}

void StateLoader::tidy_job(const Folder& folder, const StoreEntry& entry) {
  bool changed = false;
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder.found.path)) {
    names.push_back(file.path().filename());
  }
  for (const std::string& name : names) {
    if (!is_kept(name, entry) && !predicted_.is_kept(entry.definition->number, name)) {
      files_.remove(folder.found.path + "/" + name);
      changed = true;
    }
  }
  auto& generations = loaded_.index.generations[entry.definition->number];
  generations.erase(generations.upper_bound(entry.progress.round), generations.end());
  if (changed) {
    files_.sync(std::array{folder.found.path});
  }
}

}  // namespace gradmill::coordinator
